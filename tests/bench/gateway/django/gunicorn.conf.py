"""Configuration of gunicorn for `server.py`, with threads, so that connections are kept open."""

bind = "127.0.0.1:0"
workers = 4
threads = 2
worker_class = "gthread"
control_socket_disable = True
loglevel = "warning"


def when_ready(server):
    print("%s:%d" % server.LISTENERS[0].sock.getsockname(), flush=True)
