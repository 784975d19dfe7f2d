"""`nightbake` whose public cloud stands on this machine: the service as it is, its key server and login the tests'.

The first argument names the servers that moved, as JSON; the others are for `nightbake`.
"""

import json
import sys
from dataclasses import replace

import msal.authority

from bot.teams.clouds import CLOUDS
from nightbake import main
from tests.fakes.login import HOST

if __name__ == "__main__":
    CLOUDS["public"] = replace(CLOUDS["public"], **json.loads(sys.argv.pop(1)))
    # Of any other host msal asks Microsoft whether it knows it.
    msal.authority.WELL_KNOWN_AUTHORITY_HOSTS |= {HOST}
    main()
