"""The guard of an API that runs elsewhere: it needs nothing but the address of authsvc.

Access tokens are verified here, with the published keys; about API tokens authsvc is asked. What is checked and what it
costs is in docs/verifying.md.
"""

from authsvc.verifier.verifier import Verifier

__all__ = ["Verifier"]
