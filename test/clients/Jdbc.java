// Connects to a database of results as a BI tool with DuckDB's JDBC driver does.
//
// usage: java -cp duckdb_jdbc.jar Jdbc.java DATABASE
//
// It prints the views, the comment of a column, and the rows of a query.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

class Jdbc {
    public static void main(String[] args) throws Exception {
        Properties readOnly = new Properties();
        readOnly.setProperty("duckdb.read_only", "true");
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + args[0], readOnly)) {
            DatabaseMetaData about = connection.getMetaData();
            System.out.print("views:");
            try (ResultSet views = about.getTables(null, "main", "%", new String[] {"VIEW"})) {
                while (views.next()) System.out.print(" " + views.getString("TABLE_NAME"));
            }
            System.out.println();
            try (ResultSet columns = about.getColumns(null, "main", "features", "kurtosis")) {
                while (columns.next()) System.out.println(columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME") + ": " + columns.getString("REMARKS"));
            }
            try (Statement statement = connection.createStatement();
                 ResultSet rows = statement.executeQuery("SELECT feature, skewness, top_tokens FROM layer_29 ORDER BY skewness DESC LIMIT 3")) {
                while (rows.next()) System.out.println(rows.getInt(1) + " " + rows.getDouble(2) + " " + rows.getArray(3));
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute("DELETE FROM user_token_sets");
                System.out.println("it could be written to");
            } catch (java.sql.SQLException expected) {
                System.out.println("read-only");
            }
        }
    }
}
