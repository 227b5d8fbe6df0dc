"""moto's DynamoDB on 127.0.0.1, at the port that is given, one request at a time.

moto looks at a write's condition and writes in two steps. Its own server runs requests side by side, so that two
writers can both find the condition to hold, which no DynamoDB allows; one at a time, it is one. A request is
worked off when all of it is there: one that comes in pieces keeps nobody waiting.
"""

import io
import logging
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()


def one_at_a_time(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    with turn:
        return list(moto(environ, start_response))


logging.getLogger("werkzeug").setLevel(logging.ERROR)
run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
