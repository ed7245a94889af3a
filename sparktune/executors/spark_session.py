"""Find or start a Spark session; errors say why there is none."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sparktune.errors import InvalidArgument, SparkUnavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

UNLIMITED = 1_000_000

HOW_TO = (
    "On Databricks and in spark-submit use the session that is there (`spark`, or "
    "SparkSession.builder.getOrCreate()); on a laptop sparktune.local_session() starts one"
)


def local_session(cores: int | None = None, **config: Any) -> SparkSession:
    """A quiet Spark session on this machine, for laptops and tests.

    Where Spark runs already it changes nothing: in a notebook with a session it returns that
    session, and under spark-submit one with the master and settings given there.

    Args:
        cores: trials that can run at once; None: as many as the machine has cores.
        config: further Spark settings, with dots written as double underscores:
            `local_session(4, spark__driver__memory="4g")`.

    Workers use this Python interpreter. The session listens on 127.0.0.1 only.

    Raises:
        SparkUnavailable: pyspark or Java is missing, or Spark does not start.
        InvalidArgument: `cores` is not a positive integer.
    """
    if cores is not None and (isinstance(cores, bool) or not isinstance(cores, int) or cores < 1):
        raise InvalidArgument(
            f"local_session: cores must be a positive integer or None, got {cores!r}"
        )
    if foreign := [key for key in config if not key.startswith("spark__")]:
        raise InvalidArgument(
            f"local_session: {', '.join(foreign)} is not a Spark setting; write settings with "
            'double underscores for dots, as in local_session(spark__driver__memory="4g")'
        )
    settings = {
        "spark.master": f"local[{cores or '*'}]",
        "spark.app.name": "sparktune",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        **{key.replace("__", "."): str(value) for key, value in config.items()},
    }
    return start(settings)


def start(settings: dict[str, str]) -> SparkSession:
    """The active session, one as spark-submit configured it, or a new, quiet one with these
    settings, whose workers use this interpreter.

    Raises:
        SparkUnavailable: pyspark or Java is missing, or Spark does not start.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkUnavailable(
            f"cannot import pyspark ({error}); install it with: pip install 'sparktune[spark]'"
        ) from error
    if connected := active_connect():
        return connected
    running = _context() is not None or any(
        name in os.environ
        for name in ("SPARK_REMOTE", "PYSPARK_GATEWAY_PORT")  # spark-submit's
    )
    if not running:
        _require_java()
        if not os.environ.get("PYSPARK_PYTHON"):
            os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder
    if not running:
        quiet = {} if "spark.remote" in settings else _quiet()
        for key, value in (quiet | settings).items():
            builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise SparkUnavailable(f"Spark did not start: {error}. {HOW_TO}") from error


def usable(spark: Any) -> SparkSession:
    """The session itself, if it is one that trials can run on.

    Raises:
        InvalidArgument: it is not a Spark session.
        SparkUnavailable: it is stopped.
    """
    if type(spark).__name__ != "SparkSession":
        raise InvalidArgument(f"spark_session must be a SparkSession, got {spark!r}. {HOW_TO}")
    session: SparkSession = spark
    if has_stopped(session):
        raise SparkUnavailable(f"the Spark session has been stopped. {HOW_TO}")
    return session


def is_connect(spark: Any) -> bool:
    """Whether a session is one of Spark Connect, with its Spark in another process."""
    return type(spark).__module__.startswith("pyspark.sql.connect")


def has_stopped(spark: Any) -> bool:
    """Whether a session, classic or Connect, can run no more jobs."""
    return bool(spark.is_stopped) if is_connect(spark) else is_stopped(spark.sparkContext)


def is_stopped(context: Any) -> bool:
    """Whether a SparkContext can run no more jobs."""
    try:
        return context._jsc is None or bool(context._jsc.sc().isStopped())
    except Exception:  # the JVM is gone: py4j raises whatever its socket gives
        return True


def inheriting(spark: SparkSession) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """What makes a thread's target inherit the job group, scheduler pool and other local properties
    that this thread has now; each thread gets a copy.
    """
    from pyspark import __version__, inheritable_thread_target

    def own(target: Callable[[], None]) -> None:
        with contextlib.suppress(Exception):  # Spark may have been stopped, as trials will say
            scala = spark.sparkContext._jsc.sc()
            scala.setLocalProperties(scala.getLocalProperties().clone())
        target()

    if int(__version__.split(".")[0]) >= 4:
        bound = inheritable_thread_target(spark)(own)
    else:
        bound = inheritable_thread_target(own)

    def bind(target: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            begun: list[bool] = []

            def begin() -> None:
                begun.append(True)
                target()

            try:
                bound(begin)
            except Exception:  # Spark is gone, as trials will say
                if not begun:
                    target()

        return run

    return bind


def with_tags(spark: Any, target: Callable[[], None]) -> Callable[[], None]:
    """A thread's target in which a Connect session is the active one, as pyspark wants it for
    resource profiles, and has this thread's tags.
    """
    tags = spark.getTags()

    def bound() -> None:
        spark._set_default_and_active_session(spark)
        for tag in tags:
            spark.addTag(tag)
        target()

    return bound


def _quiet() -> dict[str, str]:
    """Settings of a Spark that logs errors only, and draws no bars across the one of a run. Its
    second compiler, which takes processors from the first trials, waits for code that is called ten
    times as often; loops are compiled as soon as ever.
    """
    log_config = files("sparktune.executors").joinpath("log4j2.properties")
    options = [
        f"-Dlog4j2.configurationFile=file:{log_config}",
        "-XX:Tier4InvocationThreshold=50000",
        "-XX:Tier4MinInvocationThreshold=6000",
        "-XX:Tier4CompileThreshold=150000",
    ]
    return {
        "spark.driver.defaultJavaOptions": " ".join(options),
        "spark.ui.showConsoleProgress": "false",
    }


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"
    if shutil.which(java) is None:
        where = (
            f"JAVA_HOME is {home!r}, which has none" if home else "there is no `java` on the PATH"
        )
        raise SparkUnavailable(
            f"Spark needs Java 17 or newer, and {where}: install a JDK (for example "
            "`apt install openjdk-17-jre-headless`, `brew install openjdk@17`) or set "
            "JAVA_HOME to one"
        )


def _context() -> Any:
    """The SparkContext of this process, if there is one."""
    try:
        from pyspark import SparkContext
    except ImportError:  # the package pyspark-client, with Spark Connect only
        return None
    return SparkContext._active_spark_context


def active_connect() -> SparkSession | None:
    """The session of a process that uses Spark Connect, if there is one."""
    module = sys.modules.get("pyspark.sql.connect.session")
    # A local Connect server started by this process has a SparkContext here, too.
    if module is None or (_context() and "SPARK_CONNECT_MODE_ENABLED" not in os.environ):
        return None
    session: Any = module.SparkSession.getActiveSession() or module.SparkSession._default_session
    return None if session is None or has_stopped(session) else session


def active_classic() -> SparkSession | None:
    """The classic session of this process, if there is one."""
    from pyspark.sql import SparkSession

    context = _context()
    if context is None or is_stopped(context):
        return None
    session = SparkSession.builder.getOrCreate()
    return None if is_connect(session) else session


def without_executors(master: str) -> bool:
    """Whether driver and tasks share one JVM, in which Spark takes no resource profiles."""
    return master.startswith("local") and not master.startswith("local-cluster")


def speculates(conf: Callable[[str, str], str | None]) -> bool:
    """Whether Spark may run a second copy of a slow task. `conf` as for `elastic_slots`."""
    return str(conf("spark.speculation", "false")).lower() == "true"


def elastic_slots(conf: Callable[[str, str], str | None]) -> int | None:
    """The most tasks that dynamic allocation can make room for; None where it is off.

    `conf(name, default)` reads Spark's settings.
    """
    if str(conf("spark.dynamicAllocation.enabled", "false")).lower() != "true":
        return None
    executors = str(conf("spark.dynamicAllocation.maxExecutors", "infinity"))
    if not executors.isdigit():
        return UNLIMITED
    cores = float(conf("spark.executor.cores", "1") or 1)
    slots = int(cores / float(conf("spark.task.cpus", "1") or 1))
    return min(int(executors) * max(slots, 1), UNLIMITED)
