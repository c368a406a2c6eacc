"""A certificate that nobody signed but itself, for a server of a test."""

import ipaddress
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authsvc import clock


def certify(folder, name):
    """For this name, and for this machine: fullchain.pem, privkey.pem, and both in authsvc.pem."""
    key, now = ec.generate_private_key(ec.SECP256R1()), clock.utcnow()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    form, unsealed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, unsealed)
    for file, text in (("fullchain.pem", public), ("privkey.pem", private), ("authsvc.pem", public + private)):
        (folder / file).write_bytes(text)
