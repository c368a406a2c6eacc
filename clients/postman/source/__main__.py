"""Write the collection and the environments; with a JSON report of newman's, take the saved answers from that first."""

import json
import sys
from pathlib import Path

from clients.postman.source.files import ANSWERS, PLACE, files, requests
from clients.postman.source.recording import recorded, renewed


def main(reports: list[str]) -> None:
    for report in reports:
        answers = recorded(json.loads(Path(report).read_text()))
        wanted = {request.name: answers[request.name] for request in requests() if request.example}
        kept = renewed(json.loads(ANSWERS.read_text()), wanted)
        ANSWERS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    for name, text in files().items():
        (PLACE / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
