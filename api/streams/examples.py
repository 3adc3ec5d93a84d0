"""What streams look like, as the documentation shows them."""

EVENT_STREAM = """\
: events after position 1041; the log ends at 1041
retry: 1000

id: 1041
event: position
data: {"position":1041}

id: 1042
event: loan.borrowed
data: {"position":1042,"topic":"loan.borrowed","recorded_at":"2020-03-12T10:00:00Z","account_id":"alice","version":7}

:

"""
BAND_STREAM = """\
: margin levels as of position 1042
retry: 1000

event: state
data: {"position":1042}

event: level
data: {"account_id":"alice","wallet":"cross","position":1042,"band":"normal","margin_level":"3.00000000"}

id: 1042
event: position
data: {"position":1042,"bands":{"normal":1}}

id: 1050
event: bands
data: {"position":1050,"wallets":[{"account_id":"alice","wallet":"cross","band_before":"normal","band":"margin_call",\
"margin_level":"1.24000000","collateral_margin_level":"1.24000000"}]}

"""
