"""Strapi: its users' sign-ins, below api/. Both of its login modes are served by one answer."""

from authsvc.dialects.strapi import sign_ins
from authsvc.dialects.strapi.speech import bp

__all__ = ["bp", "sign_ins"]
