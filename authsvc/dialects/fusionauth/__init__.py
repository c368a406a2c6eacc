"""FusionAuth: sign-ins, refresh tokens, users. One file per subject; words.py has what they share."""

from authsvc.dialects.fusionauth import api_keys, issuing, keys, sign_ins, standards, tokens, users
from authsvc.dialects.fusionauth.words import bp

__all__ = ["api_keys", "bp", "issuing", "keys", "sign_ins", "standards", "tokens", "users"]
