"""All that the API offers, one router a file."""

from collections.abc import Sequence

from fastapi import APIRouter

from smppgw.http import rest

ROUTERS: Sequence[APIRouter] = (rest.router,)
