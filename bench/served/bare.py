"""The floor: a Flask view that answers a small JSON and does nothing else."""

from flask import Flask

app = Flask(__name__)


@app.get("/restaurants")
def restaurants() -> dict[str, str]:
    return {"for": "019aa6d0-0000-7000-8000-000000000000"}


@app.get("/readyz")
def readyz() -> dict[str, str]:
    return {"status": "ok"}
