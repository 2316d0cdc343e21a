import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * saedb from Java.
 *
 * <p>usage: java -cp 'lib/*' Features.java DATABASE [EXTENSION]
 */
public class Features {
    public static void main(String[] arguments) throws SQLException {
        Properties settings = new Properties();
        settings.setProperty("access_mode", "READ_ONLY");
        settings.setProperty("allow_unsigned_extensions", "true");
        try (Connection con = DriverManager.getConnection("jdbc:duckdb:" + arguments[0], settings)) {
            mostSkewed(con);
            if (arguments.length > 1) {
                try (Statement statement = con.createStatement()) {
                    statement.execute("LOAD '" + arguments[1] + "'");
                }
                steer(con);
            }
        }
    }

    /** Views are tables like any others. */
    static void mostSkewed(Connection con) throws SQLException {
        System.out.println("most skewed features of layer 29:");
        try (Statement statement = con.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT feature, skewness, top_tokens FROM layer_29 ORDER BY skewness DESC LIMIT 5")) {
            while (row.next()) {
                String tokens = Arrays.stream((Object[]) row.getArray("top_tokens").getArray())
                        .limit(4).map(Object::toString).collect(Collectors.joining(" "));
                System.out.printf("%6d %.2f %s%n", row.getInt("feature"), row.getDouble("skewness"), tokens);
            }
        }
    }

    /** Any vector will do where a decoder direction does: here a steering vector. */
    static void steer(Connection con) throws SQLException {
        Array steering = con.createArrayOf("FLOAT", sum(con));
        try (PreparedStatement query = con.prepareStatement("SELECT (logit_stats(?, 'smollm2-135m')).skewness")) {
            query.setArray(1, steering);
            ResultSet row = query.executeQuery();
            row.next();
            System.out.printf("features 63 + 1328: skewness %.2f%n", row.getDouble(1));
        }
        try (PreparedStatement query = con.prepareStatement(
                "SELECT unnest(top_tokens(?, 'smollm2-135m', 5), recursive := true)")) {
            query.setArray(1, steering);
            ResultSet row = query.executeQuery();
            while (row.next()) {
                System.out.printf("%6.2f %s%n", row.getDouble("logit_weight"), row.getString("text"));
            }
        }
        System.out.println("enriched in:");
        try (PreparedStatement query = con.prepareStatement("SELECT unnest(enrich(?, 'smollm2-135m', "
                + "['all_digits', 'contains_close_bracket', 'boy_names']), recursive := true)")) {
            query.setArray(1, steering);
            ResultSet row = query.executeQuery();
            while (row.next()) {
                System.out.printf("%6.3f %s, %s%n", row.getDouble("es"), row.getString("token_set"), row.getString("direction"));
            }
        }
    }

    /** The sum of two decoder directions. */
    static Float[] sum(Connection con) throws SQLException {
        Float[] sum = null;
        try (Statement statement = con.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT w_dec FROM decoder_directions WHERE layer = 29 AND feature IN (63, 1328)")) {
            while (row.next()) {
                Object[] direction = (Object[]) row.getArray("w_dec").getArray();
                if (sum == null) {
                    sum = new Float[direction.length];
                    Arrays.fill(sum, 0f);
                }
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += (Float) direction[i];
                }
            }
        }
        return sum;
    }
}
