"""Secrets that are looked for afterwards, and every way to write one into an address."""

from authsvc import opaque

# One per line: where the query goes, with {} where the secret stands. {half} is its text with some of it encoded.
ADDRESSES = """
?token={}
?token={half}
?%74oken={}
?%74%6F%6B%65%6E={}
?%2574oken={}
?TOKEN={}
?Token={}
?+token={}
?++%20+token+={}
?token%3D{}
?token%253D{}
?token={}&token={}
?token={}&%74oken={}
?a=1&token={}&b=2
?a=1;token={}
?a=1;token={};b=2
?a=1?token={}
?a=1%26token={}
??token={}
?%3Ftoken={}
?a=%2Fx%3Ftoken%3D{}
#token={}
?a=1#token={}
#?token={}
%3Ftoken={}
%3Ftoken%3D{}
%253Ftoken={}
;token={}
/%3Ftoken={}&a=1
""".split()


def half_encoded(text):
    return "".join(f"%{ord(letter):02x}" if number % 3 == 1 else letter for number, letter in enumerate(text))


def written(address, secret):
    return address.replace("{half}", half_encoded(secret)).replace("{}", secret)


def unknown_api_token():
    """Right in form, and nobody's."""
    return opaque.new_api_token()


def traces(secret):
    """What must be found nowhere: all of it, and its beginning; of a JWT the signature, as all of them begin alike."""
    telling = secret.rpartition(".")[2]
    return telling, telling[:12], half_encoded(secret)[:30]


def found_in(text, secrets):
    """Which of the secrets a text holds."""
    return {secret for secret in secrets if any(trace in text for trace in traces(secret))}
