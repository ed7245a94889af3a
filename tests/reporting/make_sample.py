"""Makes `sample.jsonl`, the journal of a real study on Spark, which tests of the page read.

    python -m tests.reporting.make_sample

150 trials, four at once: three kinds of classifiers on scikit-learn's breast cancer data, with the
losses of three folds and the loss on rows that the search does not see. Some numbers of neighbours
are larger than a fold, so some trials fail.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from sparktune import Spark, hp, local_session, tune

JOURNAL = Path(__file__).with_name("sample.jsonl")
SPACE = hp.choice(
    "model",
    [
        {"kind": "svc", "C": hp.loguniform("C", -5, 7), "gamma": hp.loguniform("gamma", -9, 1)},
        {
            "kind": "forest",
            "n_estimators": hp.uniformint("n_estimators", 5, 60),
            "max_features": hp.uniform("max_features", 0.05, 1.0),
        },
        {
            "kind": "neighbours",
            "n_neighbors": hp.uniformint("n_neighbors", 1, 160),
            "weights": hp.choice("weights", ["uniform", "distance"]),
        },
    ],
)


def classifier_loss(config: dict[str, Any]) -> dict[str, Any]:
    """The log loss, of three folds and on held-out rows."""
    import warnings

    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import log_loss
    from sklearn.model_selection import cross_val_score, train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    warnings.simplefilter("ignore", FutureWarning)
    kinds = {"svc": SVC, "forest": RandomForestClassifier, "neighbours": KNeighborsClassifier}
    fixed = {
        "svc": {"probability": True, "random_state": 0},
        "forest": {"random_state": 0},
        "neighbours": {},
    }
    kind, options = config["kind"], {k: v for k, v in config.items() if k != "kind"}
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, train_size=200, stratify=y, random_state=0)
    model = make_pipeline(StandardScaler(), kinds[kind](**options, **fixed[kind]))
    scores = cross_val_score(model, X, y, cv=3, scoring="neg_log_loss", error_score="raise")
    losses = [-float(score) for score in scores]
    held_out = log_loss(y_test, model.fit(X, y).predict_proba(X_test))
    print(f"{kind}: losses of the folds {losses}")
    return {
        "loss": sum(losses) / len(losses),
        "losses": losses,
        "test_loss": float(held_out),
        "status": "ok",
    }


if __name__ == "__main__":
    os.environ["PYSPARK_PYTHON"] = sys.executable
    JOURNAL.unlink(missing_ok=True)
    local_session(4)
    tune(
        classifier_loss,
        SPACE,
        on=Spark(parallelism=4),
        max_trials=150,
        seed=0,
        journal=JOURNAL,
        progress=False,
    )
    here = f"{Path.cwd()}/"  # tracebacks must not tell whose machine this is
    JOURNAL.write_text(JOURNAL.read_text().replace(here, ""))
