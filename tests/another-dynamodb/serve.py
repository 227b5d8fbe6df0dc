"""moto's DynamoDB on 127.0.0.1, at the port that is given, one request at a time.

moto looks at a write's condition and writes in two steps. Its own server runs requests side by side, so that two
writers can both find the condition to hold, which no DynamoDB allows; one at a time, it is one.
"""

import logging
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

logging.getLogger("werkzeug").setLevel(logging.ERROR)
application = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=False)
