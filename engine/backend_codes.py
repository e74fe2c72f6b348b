"""What the codes of faults in back ends mean and how they are mended: the family B."""

from __future__ import annotations

from engine.fault_code import FaultCode

BACKENDS = {
    "B001": FaultCode(
        "the other evaluator failed",
        "The library that judges orders beside the reference evaluator failed, did not answer in "
        "time, or gave no whole answer. Nothing was concluded from it; the order is not at fault.",
        "decide again: the process in which it failed is replaced; if it fails again, decide by "
        "the reference evaluator alone and report the message.",
        "另一判定程序运行失败，其结果未予采用；与订单内容无关。须重新判定；"
        "再次失败的，仅用参照程序判定，并将所示信息告知管理人。",
    ),
    "B002": FaultCode(
        "too large for the other evaluator",
        "The rule set has more rules, or longer ones, than the evaluator beside the reference can "
        "hold. The rules are sound; the reference evaluator decides by them.",
        "make two rule sets of it, or decide by the reference evaluator alone.",
        "规则集过大，另一判定程序无法载入；规则本身并无错误。须分为两个规则集，或仅用参照程序判定。",
    ),
    "B900": FaultCode(
        "the two evaluators disagree",
        "The order was judged twice, by the reference evaluator and by another one, and they do "
        "not agree on every finding. One of them has a fault, so the order counts as not decided.",
        "rely on neither answer; report the order, which was kept without its text facts.",
        "两个判定程序的结果不一致，该订单按“信息不全，暂不能判定”处理。"
        "两项结果均不得采信，须告知管理人；订单已留存备查，不含文本事实。",
    ),
}
