"""Certificates that the tests make themselves: a root, and what it signs."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import pathlib
from base64 import urlsafe_b64encode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

DAY = datetime.timedelta(days=1)


def new_key(kind: str = "p256"):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "p256" else rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


def pem_of_key(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def pem_of(*chain: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def names_of(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(extension.value.get_values_for_type(x509.DNSName))


def common_name(name: x509.Name) -> str:
    return name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def renewal_identifier(certificate: x509.Certificate) -> str:
    """How RFC 9773 §4.1 names a certificate: its authority key identifier and its serial number, as the DER has them."""
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = certificate.serial_number
    content = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (authority, content))


class Root:
    """An authority without a protocol: it signs what it is asked to."""

    def __init__(self, folder: pathlib.Path, name: str = "Gatehouse Test Root"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = new_key()
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.certificate = (
            self._builder(self._name, self._key, now - DAY, now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .sign(self._key, hashes.SHA256()))
        self.file = folder / "root.pem"
        self.file.write_bytes(pem_of(self.certificate))

    def _builder(self, subject, key, begins, ends) -> x509.CertificateBuilder:
        public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
            .add_extension(public, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False))

    def sign(self, names: list[str], kind: str = "p256", days: int = 90, begun_days_ago: int = 1):
        """A leaf for these names, DNS or IP, and its key."""
        key = new_key(kind)
        now = datetime.datetime.now(datetime.timezone.utc)
        begins = now - begun_days_ago * DAY
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        leaf = (
            self._builder(subject, key, begins, begins + days * DAY)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256()))
        return leaf, key

    def write(self, stem: str, names: list[str], **how) -> tuple[pathlib.Path, pathlib.Path]:
        """Signs, and leaves `stem.pem` and `stem.key` in the folder: each replaced in one step."""
        leaf, key = self.sign(names, **how)
        certificate, private = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        replace(private, pem_of_key(key))
        replace(certificate, pem_of(leaf))
        return certificate, private


def replace(path: pathlib.Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.chmod(0o600)
    temporary.replace(path)


def spki_hash(certificate: x509.Certificate) -> str:
    """Tells keys apart."""
    public = certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()
