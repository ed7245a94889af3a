"""The objective of random_forest.toml: the log loss of a random forest on 20 % of scikit-learn's
breast cancer data, fitted on the rest.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=0
)


def validation_loss(parameters):
    forest = RandomForestClassifier(**parameters, random_state=0).fit(X_train, y_train)
    return log_loss(y_valid, forest.predict_proba(X_valid))
