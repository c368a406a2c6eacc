"""What the Postman collection is made of: `python -m clients.postman.source` writes the files beside this folder.

One file of folders/ is one folder of the collection; a request is a call of get, post, put, patch or delete there.
"""
