import base64
import binascii
import gzip
import struct
import tarfile
import zipfile
import zlib


def run():
    data = b"weights " * 50
    with gzip.open("w.gz", "wb") as file:
        file.write(data)
    with zipfile.ZipFile("w.zip", "w") as archive:
        archive.write("w.gz")
    with tarfile.open("w.tar", "w") as archive:
        archive.add("w.gz")
    read = gzip.open("w.gz").read()
    return (
        read == data, zlib.crc32(data), base64.b64encode(b"abc").decode(),
        struct.unpack("<if", struct.pack("<if", 3, 0.5)), binascii.hexlify(b"ab").decode(),
        zipfile.ZipFile("w.zip").namelist(),
    )
