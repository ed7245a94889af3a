"""Options of the JVMs that tests start: some eighty, most of which live for seconds.

Half of a session's start is to load Spark's classes. The first run with several processes keeps
them in a file beside this Python's packages, as Java maps them into memory; JVMs that start when it
is there take them from it. Java passes over a file that is not of its version or of these jars.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

try:
    PYSPARK = version("pyspark")
except PackageNotFoundError:
    PYSPARK = ""
CLASSES = Path(sys.prefix, f"spark-{PYSPARK}-{zlib.crc32(sys.prefix.encode()):x}.jsa")
# Not worth the second compiler, nor a UI that nobody opens.
PLAIN = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xlog:disable"
QUICK = f"{PLAIN} -XX:SharedArchiveFile={CLASSES}"

# A session of each kind, with a query and a job, whose JVM writes the file as it ends.
KEEP = """
import os, sys, warnings
warnings.simplefilter("ignore")
import sparktune
from pyspark import SparkContext

session = sparktune.local_session(
    1,
    spark__ui__enabled="false",
    spark__plugins="org.apache.spark.sql.connect.SparkConnectPlugin",
    spark__connect__grpc__binding__port=0,
    spark__sql__artifact__isolation__enabled="true",
)
service = getattr(session._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
url = f"sc://127.0.0.1:{getattr(service, 'MODULE$').localPort()}"
session.sparkContext.parallelize([0], 1).map(lambda x: x).collect()
session.sparkContext.broadcast(0)
from pyspark.sql.connect.session import SparkSession

remote = SparkSession.builder.remote(url).getOrCreate()
remote.range(0, 1, 1, 1).mapInArrow(lambda batches: batches, "id long").collect()
remote.stop()
session.stop()
gateway = SparkContext._gateway
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
os.replace(sys.argv[1], sys.argv[2])
"""


def set_options() -> None:
    """Of drivers, of their executors, of Spark's own servers, and of what makes their commands."""
    executors = f'"-Dspark.executor.defaultJavaOptions={QUICK}"'
    os.environ.setdefault("SPARK_SUBMIT_OPTS", f"{QUICK} -Dspark.ui.enabled=false {executors}")
    os.environ.setdefault("SPARK_DAEMON_JAVA_OPTS", QUICK)
    os.environ.setdefault("SPARK_LAUNCHER_OPTS", PLAIN)


def keep_classes() -> subprocess.Popen[bytes] | None:
    """Start to write the file, unless it is there."""
    if CLASSES.exists():
        return None
    part = CLASSES.with_suffix(f".{os.getpid()}")
    options = f"{PLAIN} -XX:ArchiveClassesAtExit={part}"
    return subprocess.Popen(
        [sys.executable, "-c", KEEP, str(part), str(CLASSES)],
        env=os.environ | {"SPARK_SUBMIT_OPTS": options},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
