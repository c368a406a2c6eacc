"""The service, with one more hook: a worker that is asked to dies when all is committed and nothing is answered yet."""

import os
import signal

from flask import request

from wsgi import app


@app.after_request
def die_before_the_answer(response):
    if "X-Die-Before-The-Answer" in request.headers:
        os.kill(os.getpid(), signal.SIGKILL)
    return response
