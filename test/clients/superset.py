"""Asks of a database what Superset does when it makes a dataset and a chart of a view.

usage: superset.py DATABASE
"""

import sys
import warnings

import sqlalchemy

warnings.simplefilter("ignore")  # of types and indexes that SQLAlchemy does not know
assert sqlalchemy.__version__.startswith("1.4"), sqlalchemy.__version__
engine = sqlalchemy.create_engine("duckdb:///" + sys.argv[1], connect_args={"read_only": True})
with engine.connect():
    inspector = sqlalchemy.inspect(engine)
    print("schemas", *inspector.get_schema_names())
    print("views", *inspector.get_view_names(schema="main"))
    print("release", *inspector.get_view_names(schema="smollm2-demo"))
    for column in inspector.get_columns("feature_tokens", schema="main"):
        print(column["name"], column["type"])
features = sqlalchemy.Table("features", sqlalchemy.MetaData(), autoload_with=engine)
chart = (
    sqlalchemy.select(features.c.layer, sqlalchemy.func.count().label("features"), sqlalchemy.func.max(features.c.skewness))
    .group_by(features.c.layer).order_by(features.c.layer).limit(1000)
)  # fmt: skip
with engine.connect() as connection:
    for row in connection.execute(chart):
        print(*row)
    try:
        connection.execute(sqlalchemy.text("DELETE FROM user_token_sets"))
        print("it could be written to")
    except sqlalchemy.exc.DBAPIError:
        print("read-only")
