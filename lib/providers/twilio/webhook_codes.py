"""What Twilio's codes mean on calling an address, and on the TwiML that it gets back.

https://www.twilio.com/docs/api/errors
"""

from lib.providers.twilio.code_entries import entry

ENTRIES = (
    entry(
        10001,
        "Account not active",
        who="you",
        cause="Twilio has closed or suspended the account.",
        step="The account's owner looks at its state and balance in the Console, or asks "
        "Twilio's support.",
    ),
    entry(
        10002,
        "Trial account",
        who="you",
        cause="A trial account does not have this feature.",
        step="The account's owner upgrades the account.",
    ),
    entry(
        10003,
        "Call refused: account not active",
        who="you",
        cause="An incoming call was refused, for the account is not active.",
        step="The account's owner looks at its state and balance in the Console.",
    ),
    entry(
        11100,
        "Invalid address",
        who="you",
        cause="The address in the Console or in the TwiML is no valid web address.",
        step="Copy the address of the integration again, with https:// in front.",
    ),
    entry(
        11200,
        "No answer from the address",
        who="you",
        cause="Twilio called the address and got an error, or nothing in time.",
        step="See whether the hub's receiver runs and the address is that of the integration; "
        "then look at Rejected for a refused signature.",
    ),
    entry(
        11205,
        "No connection",
        who="you",
        cause="Twilio could not connect to the address.",
        step="See whether the hub can be reached from the internet, by its firewall and its proxy.",
    ),
    entry(
        11206,
        "Not HTTP",
        who="you",
        cause="What answered at the address did not speak HTTP properly.",
        step="Check the port and the proxy in front of the hub.",
    ),
    entry(
        11210,
        "Host name unknown",
        who="you",
        cause="The host name of the address does not exist.",
        step="Correct the address, or its DNS entry.",
    ),
    entry(
        11215,
        "Too many redirects",
        who="you",
        cause="The address redirected over and over.",
        step="Enter the final address of the integration, and check the proxy for a loop.",
    ),
    entry(
        11220,
        "TLS failed",
        who="you",
        cause="Twilio and the server could not agree on an encrypted connection.",
        step="Renew the certificate and allow TLS 1.2 or later on the proxy.",
    ),
    entry(
        11235,
        "Certificate for another name",
        who="you",
        cause="The certificate is for another host name than the address.",
        step="Issue a certificate for the name in the address.",
    ),
    entry(
        11236,
        "Certificate expired",
        who="you",
        cause="The server's certificate has expired.",
        step="Renew it, and have it renewed by itself.",
    ),
    entry(
        11237,
        "Certificate chain incomplete",
        who="you",
        cause="Twilio cannot follow the certificate to a known authority.",
        step="Install the whole chain, with the intermediate certificates.",
    ),
    entry(
        11243,
        "Retry setting invalid",
        who="you",
        cause="The part behind # in the address is no valid connection setting.",
        step="Copy the address with its #rc and #rp part again.",
    ),
    entry(
        11751,
        "Media too large",
        who="you",
        cause="The media is larger than the recipient's carrier takes.",
        step="Send a smaller file; under 600 kB passes most carriers.",
    ),
    entry(
        12100,
        "Answer is no XML",
        who="you",
        cause="Twilio could not read the reply as TwiML.",
        step="Correct the reply of the integration; the TwiML must be well-formed XML.",
    ),
    entry(
        12200,
        "Answer breaks the rules of TwiML",
        who="you",
        cause="The reply is XML, and something in it is not TwiML as Twilio knows it.",
        step="Check the names and the order of the elements in the reply.",
    ),
    entry(
        12300,
        "Wrong content type",
        who="you",
        cause="The answer has a content type that Twilio does not take.",
        step="Point the address at the hub itself; it answers with text/xml.",
    ),
    entry(
        13223,
        "Dial: number in a wrong form",
        who="you",
        cause="The number in Dial is not in a form that Twilio reads.",
        step="Write it with + and country code.",
    ),
    entry(
        13224,
        "Dial: number not reachable",
        who="you",
        cause="Twilio does not call the number in Dial, or it is not valid.",
        step="Check the number, and call it by hand once.",
    ),
    entry(
        13225,
        "Dial: number forbidden",
        who="you",
        cause="The number in Dial is one that Twilio does not call.",
        step="Dial another number.",
    ),
    entry(
        13227,
        "Dial: country not allowed",
        who="you",
        cause="The account may not call the country of the number in Dial.",
        step="The account's owner allows it in the Console under Voice > Geographic permissions.",
    ),
)
