"""What the codes of faults in requests mean and how they are mended: the family W."""

from __future__ import annotations

from engine.fault_code import FaultCode

REQUESTS = {
    "W101": FaultCode(
        "request cannot be read",
        "A part of the request is not what its place needs: a query parameter, a header, a name "
        "that the body must have.",
        "look at the pointer or name in the message; `/openapi.json` describes every request.",
    ),
    "W102": FaultCode(
        "no key, or one that opens nothing",
        "The service asks for an API key, and the request has none that it knows.",
        "send `Authorization: Bearer KEY`, or sign in to the workbench.",
    ),
    "W103": FaultCode(
        "the key may not do this",
        "A key of role `read` decides and looks; drafts are changed with a key of role `draft`.",
        "use a key of role `draft`; whoever runs the service makes one with `placet key`.",
    ),
    "W104": FaultCode(
        "sent from another site",
        "The browser says that a page of another site sent this request.",
        "use the workbench at its own address.",
    ),
    "W105": FaultCode(
        "nothing there",
        "The address names a page, rule set, rule, scenario or fault that does not exist.",
        "check the id; the lists under `/v1/` name what there is.",
    ),
    "W106": FaultCode(
        "method not possible here",
        "The address exists, but not for this method.",
        "use one of the methods in the `Allow` header.",
    ),
    "W107": FaultCode(
        "request came too slowly",
        "The body of the request did not arrive in the time that one request has.",
        "send it again; for many orders use the stream, which has its time for each line.",
    ),
    "W108": FaultCode(
        "shipped scenarios are not changed",
        "A scenario that is shipped with the rules is read only.",
        "save a copy as a draft and change that.",
    ),
    "W109": FaultCode(
        "changed by somebody else",
        "The draft was changed since it was read: its version is not the one in `If-Match`. "
        "Nothing was written.",
        "read the draft again, put your change into it, and send the new `ETag`.",
    ),
    "W110": FaultCode(
        "request too large",
        "The body of the request is larger than 1,000,000 bytes. Nothing of it was used.",
        "send less at once; many orders go through `/v1/decide/stream` line by line.",
    ),
    "W111": FaultCode(
        "content of another kind",
        "The `Content-Type` of the body is none that this address reads.",
        "send JSON as `application/json`; orders line by line as `application/x-ndjson`; a "
        "scenario also as `application/yaml`.",
    ),
    "W112": FaultCode(
        "unknown host name",
        "The request names a host under which this service is not offered.",
        "use its own address; whoever runs the service adds names in `PLACET_HOSTS`.",
    ),
    "W113": FaultCode(
        "version not named",
        "A draft is changed or removed only by somebody who says which version they have seen.",
        "send the `ETag` of the draft as `If-Match`.",
    ),
    "W114": FaultCode(
        "too many requests",
        "This caller sent more requests than one caller may in that time.",
        "wait as long as `Retry-After` says; many orders go through one stream.",
    ),
    "W115": FaultCode(
        "fault of the service",
        "The service met something that it was not built for. Nothing was decided and nothing "
        "was changed by this request.",
        "try again; if it stays, report it with the request's number from `X-Request-Id`.",
    ),
    "W116": FaultCode(
        "took too long",
        "The work was stopped when its time was over. Nothing was decided.",
        "ask for less at once: fewer cells, a smaller draft of rules.",
    ),
    "W117": FaultCode(
        "busy",
        "All that could do this work is busy, or the service is about to stop.",
        "try again after a moment.",
    ),
    "W118": FaultCode(
        "no room for more drafts",
        "The team has as many drafts as the service keeps.",
        "remove drafts that are no longer needed.",
    ),
    "W119": FaultCode(
        "draft of rules is not complete",
        "A draft of rules has an id that no shipped rule set has, and files by name; it may be "
        "based on a shipped rule set.",
        'write `{"id": …, "based_on": …, "files": {"regime.yaml": …}}`.',
    ),
    "W201": FaultCode(
        "not the axes of a sweep",
        "A sweep is an envelope with `axes`: a list of one axis or two, each a block of names.",
        'write `"axes": [{"fact": "order.quantity", "from": "1", "to": "100", "step": "1"}]`.',
    ),
    "W202": FaultCode(
        "unknown name in an axis",
        "An axis knows `fact` or `parameter`, `from`, `to`, `step`, `count` and `values`.",
        "take the name that the help suggests, or take the line out.",
    ),
    "W203": FaultCode(
        "axis without a subject",
        "An axis varies one fact or one parameter, named by text; here none is named, or both.",
        "give `fact` or `parameter`, not both.",
    ),
    "W204": FaultCode(
        "no such fact or parameter to vary",
        "The vocabulary has no fact of this name, or the regime no parameter.",
        "take the name that the help suggests.",
    ),
    "W205": FaultCode(
        "cannot be varied",
        "A derived fact is computed from others, and text is carried and never judged.",
        "vary the facts from which it is computed.",
    ),
    "W206": FaultCode(
        "values of an axis not clear",
        "The values are listed, or they run from one to another by a step or a count. Codes and "
        "yes/no values are always listed. Here none of these ways is complete, or two are mixed.",
        "give `values`, or `from` and `to` with either `step` or `count`.",
    ),
    "W207": FaultCode(
        "value of an axis does not fit",
        "A value, step or count is not written as its type asks, lies outside its bounds, or is "
        "no known code; a parameter always has a value.",
        "write it as in an order; null stands for unknown, of facts only.",
    ),
    "W208": FaultCode(
        "sweep too large",
        "A sweep has at most 100,000 cells, and at most 1,000 values of a parameter or of the "
        "date that chooses the rules. Nothing was judged.",
        "take larger steps, or a smaller range; `as_of` fixes the rules to one day.",
    ),
    "W209": FaultCode(
        "range without values",
        "`to` lies after `from`, a step is larger than nothing, and a count is 2 or more and no "
        "larger than the number of values there are.",
        "mend the number that the message names; list a single value under `values`.",
    ),
    "W210": FaultCode(
        "varied twice",
        "A value is listed twice, or both axes vary the same fact or parameter.",
        "list each value once; let the second axis vary something else.",
    ),
    "W211": FaultCode(
        "cells disagree with the catalogue",
        "Some cells name a product and state another figure than the catalogue has for it; no "
        "such order can be decided.",
        "leave the figure to the catalogue; or leave the product out and state the item's figures.",
    ),
}
