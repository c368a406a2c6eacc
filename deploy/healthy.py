"""Exit 0 if this container's authsvc answers 200: deploy/healthy.py /readyz."""

import os
import sys
import urllib.error
import urllib.request

try:
    urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}{sys.argv[1]}", timeout=4).close()
except (OSError, urllib.error.URLError) as error:
    sys.exit(str(error))
