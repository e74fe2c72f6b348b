"""cedarpy: one `forbid … unless` per condition and a permit, so that reasons name the failures."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType

from cedarpy import Entities, PolicySet, is_authorized

from tests.bench.contest import Reader
from tests.bench.orders import CAP

_CONSENTS = '["approve", "approve-with-conditions"]'
_NO_OBJECTIONS = '["approve", "approve-with-conditions", "no-objection"]'
_VALUE = "context.quantity * context.unit_price_cents"
_CHIPS = "context.quantity * context.chips_per_unit"

_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "customer-cap": f"context.units_to_date + {_CHIPS} <= {CAP}",
        "transaction-fee": f"4 * context.fee_cents >= {_VALUE}",
        "full-prepayment": f"context.prepaid_cents >= {_VALUE}",
        "non-military-pledge": "context.pledge_submitted && context.pledge_non_military",
        "civil-end-use": 'context.end_use == "civil" && !context.military_end_user',
        "no-cancellation": "!context.cancellable",
        "multi-agency-review": f"{_CONSENTS}.contains(context.commerce)"
        f" && {_NO_OBJECTIONS}.contains(context.state)"
        f" && {_NO_OBJECTIONS}.contains(context.defense)",
    }
)


def prepare() -> Reader:
    """Parse the policies once; without a schema, which would check each request anew."""
    forbids = (
        f'@id("{name}") forbid(principal, action, resource) unless {{ {condition} }};'
        for name, condition in _CONDITIONS.items()
    )
    policies = PolicySet.from_str("\n".join((*forbids, "permit(principal, action, resource);")))
    entities = Entities.from_json_str("[]")
    # Structured identifiers and JSON context are the forms that the binding takes fastest.
    parties = {
        "principal": {"type": "Seller", "id": "seller"},
        "action": {"type": "Action", "id": "export"},
        "resource": {"type": "Order", "id": "order"},
    }
    return lambda order: partial(
        _failed, policies, entities, {**parties, "context": json.dumps(asdict(order))}
    )


def _failed(policies: PolicySet, entities: Entities, request: dict[str, object]) -> frozenset[str]:
    answer = is_authorized(request, policies, entities)
    failed = frozenset(answer.diagnostics.id_annotations_by_reason.values())
    if answer.diagnostics.errors or answer.allowed == bool(failed):
        raise RuntimeError(f"cedarpy could not judge: {answer.diagnostics.errors}, {failed}")
    return failed
