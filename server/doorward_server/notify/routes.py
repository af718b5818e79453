"""Notifications have no addresses of their own, but work beside the server."""

from doorward_server.notify.couriers import delivering_in_background

lifespan = delivering_in_background
