"""moto_server as S3 is where several write: of all who put an object unless it is there, one does."""

import threading

from moto.s3.responses import S3Response
from moto.server import main

writing = threading.RLock()


def one_at_a_time(write):
    def locked(*args, **kwargs):
        with writing:
            return write(*args, **kwargs)

    return locked


for name in "put_object", "_key_response_post":  # in one piece, and the end of a multipart upload
    setattr(S3Response, name, one_at_a_time(getattr(S3Response, name)))

main()
