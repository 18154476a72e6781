"""All that the API offers, one router a file."""

from fastapi import APIRouter

from smppgw.admin.running import Running
from smppgw.http import admin, history, rest


def routers(running: Running) -> list[APIRouter]:
    """Made once, when the gateway is put together."""
    return [rest.router, admin.router(running), history.router(running.settings.history)]
