import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import urllib.parse
import urllib.request


def run():
    digest = hashlib.sha256(b"weights").hexdigest()
    signed = hmac.new(b"key", b"text", "sha256").hexdigest()
    url = urllib.parse.urljoin("https://example.org/data/", "train.csv")
    return digest, signed, url, len(secrets.token_hex(8)), ssl.HAS_TLSv1_3, socket.AF_INET.value
