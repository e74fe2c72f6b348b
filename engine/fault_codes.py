"""What every fault code means and how the fault is mended, for `placet check --explain`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.backend_codes import BACKENDS
from engine.fault_code import FaultCode
from engine.request_codes import REQUESTS


def _reading(family: str, what: str) -> dict[str, FaultCode]:
    """The codes of every family whose files are read as YAML or JSON."""
    it = f"{what[0].upper()}{what[1:]}"
    return {
        f"{family}001": FaultCode(
            "file cannot be read",
            f"{it} is not there, may not be opened, is a folder, or is not UTF-8 text.",
            "check the path and its permissions; in the editor, save the file as UTF-8.",
            "文件无法读取。须核对路径和访问权限，并以UTF-8编码保存。",
        ),
        f"{family}002": FaultCode(
            "file too large",
            f"{it} has more than 1,000,000 bytes or 100,000 values. Nothing of it was read.",
            "keep one document per file; decide orders in bulk with `placet sweep`.",
            "内容过大：至多1,000,000字节、100,000个值，未读取任何部分。须分开提交。",
        ),
        f"{family}003": FaultCode(
            "nested too deep",
            f"{it} has lists or names inside one another more than 24 levels deep.",
            "flatten it: no part of it needs more than a few levels.",
            "嵌套过深：不得超过24层。须简化结构。",
        ),
        f"{family}004": FaultCode(
            "not well-formed",
            f"{it} cannot be taken apart into names and values. Often a quote or bracket is "
            "left open, a line is indented unlike its neighbours, or a text with a colon lacks "
            "quotes. What follows the place was not read.",
            "look at the place named and the line above it; put texts that contain `: ` or ` #` "
            "in double quotes.",
            "格式有误，无法识别为YAML或JSON。须检查所指位置及其上一行的引号、括号和缩进。",
        ),
        f"{family}005": FaultCode(
            "name stands twice",
            "The same name stands twice in one block. YAML tools would silently keep the last; "
            "here neither is taken.",
            "keep one of the two; the note names the place of the first.",
            "同一名称出现两次，两处均未采用。须只保留一处。",
        ),
        f"{family}006": FaultCode(
            "refused part of YAML",
            f"{it} uses an anchor (`&`), an alias (`*`), a tag (`!`), a merge (`<<`), a folded "
            "text (`>`) or a second document (`---`). They hide what is said or change how it "
            "is read, so none is allowed.",
            "write the value out where it is needed; write a long text on one line, or as a "
            "`|` block; keep one document per file.",
            "使用了不予读取的YAML写法（锚点、别名、标签、合并、折叠文本或第二份文档）。"
            "须直接写出数值，一个文件只放一份文档。",
        ),
    }


def _shape(family: str, what: str) -> dict[str, FaultCode]:
    """The codes of every family whose files have a fixed shape."""
    return {
        f"{family}101": FaultCode(
            "unknown name",
            f"This name has no meaning at this place of {what}; mostly it is a slip of the pen.",
            "take the name that the help suggests, or take the line out.",
        ),
        f"{family}102": FaultCode(
            "something required is missing",
            f"{what.capitalize()} is empty, or a block lacks a name or value that it must have.",
            "add the line that the message names.",
        ),
        f"{family}103": FaultCode(
            "wrong shape",
            "A text, a list and a block of names are three different shapes; another one than "
            "is needed stands here, or nothing does.",
            "write a list as `[a, b]` or with hyphens, names as `name: value`, a text on one "
            "line.",
        ),
        f"{family}104": FaultCode(
            "unknown word",
            "Only a few fixed words are possible here, and this is none of them.",
            "take one of the words that the help lists.",
        ),
        f"{family}106": FaultCode(
            "value does not fit its type",
            "A number, amount, ratio, date or yes/no value is not written as its type asks, or "
            "lies outside the bounds that are declared for it.",
            "write digits without separators, dates as YYYY-MM-DD, yes/no values as `true` or "
            "`false`, and stay within the bounds.",
        ),
        f"{family}107": FaultCode(
            "text not in both languages",
            "Everything that people read is written in English and in Chinese; one is missing.",
            "write both, as `{en: …, zh: …}`.",
        ),
    }


_RULES = {
    "R109": FaultCode(
        "rule files and list of rules differ",
        "`rules:` in regime.yaml and the files beside it must name the same rules: one is listed "
        "without a file, or a file is not listed.",
        "write the file or take its name out of the list; list every file, in reading order.",
    ),
    "R110": FaultCode(
        "not a possible name",
        "Rule ids are small letters, digits and hyphens; names of parameters, lists and "
        "quantities are small letters, digits and underscores, begin with a letter, and are not "
        "words of the rule language such as `min` or `and`.",
        "choose another name; a rule id is the name of its file without `.yaml`.",
    ),
    "R201": FaultCode(
        "condition cannot be read",
        "The condition is empty or is not a sentence of the rule language: an operator, a quote "
        "or a parenthesis is missing or one too many.",
        "look just before the place named; a condition reads like `order.quantity <= cap and "
        'order.destination in ["CN", "HK"]`.',
    ),
    "R202": FaultCode(
        "not part of the rule language",
        "Conditions know facts, numbers, codes in double quotes, `true`, `false`, "
        '`date("…")`, `min`, `max`, `and`, `or`, `not`, comparisons, `in`, `+`, `-` and `*`. '
        "Nothing else is read, so that a rule can be proved and never runs anything.",
        "say it with these; turn a division round into a multiplication.",
    ),
    "R203": FaultCode(
        "condition too long or too deep",
        "A condition has at most 2,000 characters and 40 levels of parts within parts, so that "
        "people can check it; with all that the quantities in it stand for, at most 2,000 parts "
        "and 100 levels.",
        "divide it into several rules, or name parts of it under `derive:`.",
    ),
    "R204": FaultCode(
        "unknown fact or name",
        "No fact, parameter, list or quantity of this name is known here. A quantity knows only "
        "those above it, and the fact that dates a regime must be a date.",
        "take the name that the help suggests; `placet rules --facts` lists every fact.",
    ),
    "R205": FaultCode(
        "parts of different kinds",
        "Things stand together that cannot: a code with a number, a date with a text, a number "
        "where a condition is needed, an order (`<`) between codes, a list where a value is "
        "needed.",
        "compare a fact with values of its own kind; let a yes/no fact stand alone.",
    ),
    "R206": FaultCode(
        "units do not agree",
        "Chips are added to or compared with chips and money with money; a product has one side "
        "that is a plain number or a ratio; a quantity has the unit that it declares.",
        "bring both sides to one unit, or declare the unit that the expression gives.",
    ),
    "R207": FaultCode(
        "unknown code",
        "The code, or the group of codes, is not in the code list of its fact.",
        "take the code that the help suggests, or add it to the list in `codes/`.",
    ),
    "R208": FaultCode(
        "number can grow too large",
        "With the bounds declared, this part can pass what its type can hold exactly (63 bits, "
        "18 digits with decimals), or the bounds of the quantity that it gives.",
        "give the facts and parameters in it narrower bounds, or the quantity wider ones.",
    ),
    "R209": FaultCode(
        "chained comparison",
        "`a < b < c` is not read: people read it in different ways.",
        "write `a < b and b < c`.",
    ),
    "R210": FaultCode(
        "value not written as the rule language asks",
        "Numbers are digits with at most one decimal point, codes stand in plain double quotes, "
        'dates are written `date("YYYY-MM-DD")` and must exist.',
        "write the value in this form, without separators, exponents or leading zeros.",
    ),
    "R211": FaultCode(
        "rounding not stated",
        "The expression gives more decimals than the quantity keeps, so something is lost.",
        "say `round: up` or `round: down`, as the source has it.",
    ),
    "R301": FaultCode(
        "rule without a source",
        "Every rule says on which source it rests; this one cites none.",
        "add an entry to `cite:`.",
    ),
    "R302": FaultCode(
        "unknown source",
        "The source is not described in sources.yaml.",
        "take the name that the help suggests, or describe the source in sources.yaml.",
    ),
    "R303": FaultCode(
        "incomplete citation",
        "A citation gives the source's own words with one translation into the other language, "
        "or says in our words what the source says; here a part is missing, or too much stands.",
        "add `quote` with `en` or `zh`, whichever the source is not written in, or add `says`.",
    ),
    "R304": FaultCode(
        "dates do not fit together",
        "A period ends before it begins, dated values are out of order, a rule is in force when "
        "its regime is not, or a parameter has no value on a day on which its rule needs one.",
        "set the dates against each other; `until` is the first day no longer in force.",
    ),
    "R305": FaultCode(
        "rule is never in force",
        "The periods of the rule and of its regime have no day in common, so the rule would "
        "never be judged.",
        "mend the dates of the rule, or take it out.",
    ),
    "R306": FaultCode(
        "example contradicts its rule",
        "The rule, judged on the example's facts, gives another finding than the example says. "
        "One of the two is wrong.",
        "read the source again, then mend the rule or the example.",
    ),
    "R307": FaultCode(
        "example missing",
        "A rule has at least one example that is `met` and one that is `unmet`, so that both "
        "sides of its boundary have been thought about.",
        "add the example, as near to the boundary as the facts allow.",
    ),
    "R308": FaultCode(
        "example cannot be read",
        "The facts of the example would be refused in an order too: an unknown fact, a value "
        "that does not fit, or a value that disagrees with the catalogue.",
        "mend the fact; the message is the one that an order would get.",
    ),
    "R309": FaultCode(
        "has no effect",
        "A parameter or list is declared and no condition uses it. This is a warning; the rules "
        "can be used.",
        "use it or take it out.",
    ),
    "R310": FaultCode(
        "name already taken",
        "Parameters and quantities share one space of names in a regime, a rule is listed once, "
        "and each status has an outcome code of its own.",
        "rename one of the two, or keep one; a parameter that several rules use stands in "
        "regime.yaml.",
    ),
    "R401": FaultCode(
        "unknown stage, event, clock or kept fact",
        "A process names something that it does not have: a stage, an event, a field, a clock, a "
        "kept fact, a rule or a parameter.",
        "take the name that the help suggests, or add what is missing.",
    ),
    "R402": FaultCode(
        "stage without a way in",
        "No chain of transitions leads from the first stage to this one, so that no case is ever "
        "in it.",
        "add a transition to it, or take the stage out.",
    ),
    "R403": FaultCode(
        "dead end",
        "A case in this stage can never come to an end, and the stage does not say that it is one.",
        "add a transition that leads on, or say `end: true`.",
    ),
    "R404": FaultCode(
        "event that cannot happen",
        "No stage takes this event, or nobody is named who could send it.",
        "add a transition with `on:`, name who sends it, or take the event out.",
    ),
    "R405": FaultCode(
        "clocks that do not add up",
        "`totals` says that the days of some clocks add up to those of another, and they do not.",
        "mend the days or the total; both come from the text that is cited.",
    ),
    "R406": FaultCode(
        "clock that does not run there",
        "A transition waits for the end of a clock, or asks for its count, in a stage where it "
        "does not run; or a clock runs nowhere, or in an end.",
        "name in `runs` the stages in which its days count, in `pauses` those in which they wait.",
    ),
    "R407": FaultCode(
        "transition that is never taken",
        "Transitions are tried in their order. One before this takes the same event, in the same "
        "stages, whatever the case.",
        "give the earlier one a `when`, or put the narrower one first.",
    ),
    "R408": FaultCode(
        "transition or clock of no sense",
        "A transition has either an event (`on`) or a clock (`after`), a guard together with what "
        "is said when it fails, and no effect where it refuses; nothing leads out of an end, and "
        "no stage leads to itself. A clock has a number of days or a kept date.",
        "write one of the two, as the message says.",
    ),
    "R409": FaultCode(
        "value that a kept fact cannot hold",
        "A transition sets a kept fact to a value of another type, unit or list, or with more "
        "decimals; or a count of the ledger is no whole number that starts with 0.",
        "give a value of the fact's own type.",
    ),
    "R410": FaultCode(
        "clocks that chase one another",
        "The ends of clocks lead in a circle: a case that nobody touches would move for ever.",
        "let an event, or an end, close the circle.",
    ),
}

_VOCABULARY = {
    "V201": FaultCode(
        "faulty code list file",
        "The CSV file of a code list lies outside the rules, lacks the columns code,en,zh,groups "
        "or a column that a fact names, or has a row that does not fit its header.",
        "begin the file with code,en,zh,groups; give every row as many cells as the header; "
        "quote cells that contain a comma.",
    ),
    "V202": FaultCode(
        "not a fact path",
        "A fact is named by at least two words joined by dots, in small letters.",
        "write it like `order.quantity`.",
    ),
    "V203": FaultCode(
        "code stands twice",
        "One code has two rows in its list, so two meanings.",
        "keep one of the rows.",
    ),
    "V204": FaultCode(
        "incomplete or contradictory fact",
        "A fact lacks what its type needs (bounds of a number, `scale` of a decimal, `codes` of "
        "a code), its bounds are the wrong way round or too wide, or `from` or `counted_in` "
        "names no fact with codes.",
        "add or mend what the message names; choose bounds that no real order passes.",
    ),
    "V205": FaultCode(
        "fact cannot be put into words",
        "The wording of the fact is incomplete: `says` lacks `{value}`, or a yes/no fact lacks "
        "its clauses `yes` and `no`.",
        "write whole clauses in both languages; `{value}` marks where the value goes.",
    ),
    "V206": FaultCode(
        "value or unit of a fact does not fit",
        "A cell of the catalogue is no value of the fact that reads it, or a derived fact gives "
        "another unit than it declares.",
        "mend the cell, the type of the fact, or its unit.",
    ),
    "V208": FaultCode(
        "derived fact passes its bounds",
        "With the bounds of the facts that it is made of, a derived fact can lie outside its own.",
        "widen `min` and `max` of the derived fact, or narrow those of the others.",
    ),
    "V211": FaultCode(
        "rounding not stated",
        "The expression of a derived fact gives more decimals than the fact keeps.",
        "say `round: up` or `round: down`.",
    ),
}

_ORDERS = {
    "O101": FaultCode(
        "unknown name",
        "This name has no meaning beside the facts of an order, in a scenario, or in a part of "
        "one.",
        "take the name that the help suggests; facts of the order stand under `facts:`.",
        "此处没有这一名称。须核对拼写；订单的事实写在`facts`之下。",
    ),
    "O103": FaultCode(
        "wrong shape",
        "A text, a list and a block of names are three different shapes; another one than is "
        "needed stands here.",
        "write facts as `order: {quantity: 20000}` or `order.quantity: 20000`.",
        "结构不符：此处所需的是另一种形式（文本、列表或名称块）。"
        "事实须写作`order.quantity: 20000`。",
    ),
    "O201": FaultCode(
        "unknown fact",
        "The vocabulary has no fact of this name. It is refused, not ignored: a misspelt fact "
        "would silently count as unknown.",
        "take the name that the help suggests; `placet rules --facts` lists every fact.",
        "没有这一事实；不予忽略，以免误作未知。须核对名称，全部事实见“规则”页的“订单可填事实”。",
    ),
    "O202": FaultCode(
        "value not written as its type asks",
        "The value is not a whole number, amount, date, yes/no value and so on, as the fact "
        "needs. Amounts and decimals are text in JSON, since JSON numbers are not exact; "
        "separators, exponents and digits other than 0 to 9 are not read.",
        'write `20000`, `"540000000.00"`, `2026-02-28`, `true`; leave an unknown fact out.',
        '数值的写法不符合该事实的类型。数量写作`20000`，金额写作`"540000000.00"`，'
        "日期写作`2026-02-28`；未知的事实留空。",
    ),
    "O203": FaultCode(
        "value out of bounds",
        "The value is well written and lies outside the bounds that the vocabulary sets: mostly "
        "a wrong unit, or a digit too many.",
        "check the number and its unit.",
        "数值超出允许范围。须核对数字和单位。",
    ),
    "O204": FaultCode(
        "unknown code",
        "The code is not in the list of this fact: a country, product, answer and so on that "
        "the vocabulary does not know.",
        "take the code that the help suggests; countries have two capital letters.",
        "代码不在列表中。须从列表中选取；国家或地区用两位大写字母代码。",
    ),
    "O205": FaultCode(
        "derived fact stated",
        "This fact is computed from others, such as the value of an order from quantity and "
        "price. Stating it too could contradict them.",
        "leave it out, and state the facts from which it is computed.",
        "该事实由其他事实计算得出，不得另行填写。须删去此项，填写据以计算的事实。",
    ),
    "O206": FaultCode(
        "disagrees with the catalogue",
        "The order names a product and states another value than the catalogue has for it.",
        "leave the value out; or, for a different item, leave the product out and state all its "
        "figures.",
        "与所选产品的目录值不一致。须删去此项；物项确不相同的，不选产品并填写其全部参数。",
    ),
    "O207": FaultCode(
        "fact stated twice",
        "The same fact stands twice, once nested and once as a dotted path.",
        "keep one of the two.",
        "同一事实填写了两次。须只保留一处。",
    ),
    "O208": FaultCode(
        "no such regime",
        "The order names no regime, or one that the rules do not have.",
        "write `regime:` beside `facts:`, or use `--regime`; the help lists those that exist.",
        "未指明规则集，或没有这一规则集。须以`regime`写明现有规则集之一。",
    ),
    "O209": FaultCode(
        "unknown parameter",
        "The regime has no parameter of this name to change.",
        "take the name that the help suggests; `placet rules REGIME` lists the parameters.",
        "规则集没有这一参数。须核对参数名称。",
    ),
    "O210": FaultCode(
        "parameter value does not fit",
        "The changed value of a parameter is not of its type or lies outside its bounds.",
        "write it as a fact of that type would be written, within the bounds.",
        "参数的数值不符合其类型，或超出允许范围。须更正数值。",
    ),
    "O211": FaultCode(
        "unknown rule",
        "The regime has no rule of this id to leave out.",
        "take the id that the help suggests, with or without the regime before it.",
        "规则集没有拟不计入的这条规则。须核对规则名称。",
    ),
    "O212": FaultCode(
        "bad date of the rules",
        "`as_of` is not a calendar day.",
        "write YYYY-MM-DD; leave it out to take the date from the order.",
        "规则基准日不是有效日期。须写作`YYYY-MM-DD`；不填则取自订单。",
    ),
    "O213": FaultCode(
        "selects no rules",
        "`--only` takes `kind=…` or `certainty>=…` with a word that rules use.",
        "take one of the selections that the help lists.",
        "没有可供如此选择的规则。`--only`须写作`kind=…`或`certainty>=…`。",
    ),
    "O401": FaultCode(
        "event not possible here",
        "The stage in which the case stands does not take this event, or the case has ended. The "
        "history of the case is as it was.",
        "send one of the events that the message names, or fork the case at an earlier event.",
        "个案当前所处阶段不接受该事件，或个案已终结，办理记录未变。须改发目前可能的事件，或自较早事件起另行推演。",
    ),
    "O402": FaultCode(
        "event not taken",
        "The stage knows the event, but a condition that the process sets for it does not hold. "
        "The history of the case is as it was.",
        "the message says which condition and with which numbers; send what must come before.",
        "事件不符合办理流程所设条件，未予接受，办理记录未变。须先录入应在其之前的事件，或更正数值。",
    ),
    "O403": FaultCode(
        "event out of order",
        "The event is dated before the latest one of the case. Time comes from the dates of events "
        "alone, so they stand in the order of their dates.",
        "correct the date, or fork the case at an earlier event.",
        "事件日期早于最近一次事件。事件须按日期先后录入。",
    ),
    "O404": FaultCode(
        "unknown event",
        "The process has no event of this name, or none is named.",
        "take the name that the help suggests.",
        "办理流程没有该事件，或未写明事件。须核对事件名称。",
    ),
    "O405": FaultCode(
        "fields of an event",
        "The event lacks its date or a field, has one that it does not know, or states what the "
        "ledger fills in.",
        "write the fields that the message names, no others.",
        "事件的日期或栏目缺失，或填写了不应填写的栏目。须按说明补正。",
    ),
    "O406": FaultCode(
        "event that cannot be judged yet",
        "Whether the event is taken depends on a fact that nobody has given. A missing fact never "
        "lets an event pass.",
        "open the case with the fact that the message names, or send the event that says it.",
        "缺少事实，尚不能确定是否接受该事件。须先补充所列事实。",
    ),
    "O407": FaultCode(
        "event beyond the bounds",
        "The event would carry an amount or a number of the case beyond the bounds that are "
        "declared for it.",
        "check the unit and the number.",
        "该事件将使金额或数量超出允许范围。须核对单位和数值。",
    ),
    "O408": FaultCode(
        "fact that events say",
        "The order of a case states a fact that comes from the events of the case, such as a "
        "payment or an agency's answer.",
        "leave it out when the case is opened, and send the event when it happens.",
        "该事实由个案的事件录入，开立个案时不得填写。须留空，待事件发生时录入。",
    ),
    "O409": FaultCode(
        "unknown process",
        "No process of this name is among the rules.",
        "take the name that the help suggests.",
        "没有该办理流程。须核对名称。",
    ),
    "O410": FaultCode(
        "process not in force",
        "The day lies outside the days for which the process is written.",
        "open the case on a day on which the process is in force.",
        "该日不在办理流程的适用期间内。须更正日期。",
    ),
    "O411": FaultCode(
        "order against the ledger",
        "The order names another group for a known customer, or states another number of chips to "
        "date than the ledger of this workspace counts.",
        "leave it out, so that the ledger fills it in; or take a workspace of its own.",
        "订单所填集团或此前累计与台账不一致。须留空由台账填入，或另用工作区。",
    ),
    "O412": FaultCode(
        "customer not named",
        "The process books chips to a customer, and the order names none.",
        "open the case with `customer.id`.",
        "订单未写明客户编号，无法记入台账。须填写`customer.id`。",
    ),
    "O413": FaultCode(
        "case of an earlier process",
        "The process was changed after the case was opened, and no longer takes one of the events "
        "that are on record. Nothing is added to such a case.",
        "replay the case to see where it stops; open a new case to go on.",
        "办理流程在个案开立后有变更，已录入的事件与现行流程不符，不再接受新事件。须另开个案。",
    ),
    "O414": FaultCode(
        "no such event in the case",
        "A fork begins after one of the events of a case, or with its opening, which is number 0; "
        "the case has not that many events.",
        "take a number from the history of the case.",
        "个案没有该序号的事件。须填写办理记录中的事件序号；自开立之时起另行推演的，填0。",
    ),
    "O301": FaultCode(
        "empty document",
        "The document says nothing at all. An order about which nothing is known is written as "
        "an envelope with empty `facts:`.",
        "write the facts that are known.",
        "内容为空。须填写已知的事实；全部未知的，`facts`留空即可。",
    ),
    "O302": FaultCode(
        "incomplete scenario",
        "A scenario has a title and a story in both languages, a regime, facts, and what is "
        "expected; so has each of its variations, but for the story. A story of a case has a process, "
        "the day on which it is opened, and events in place of the regime.",
        "add what the message names; `placet schema --scenario` describes the whole.",
        "情景不完整。须补齐中英文标题和说明、规则集、事实及预期判定；个案情景须写明办理流程、开立日期和事件。",
    ),
    "O303": FaultCode(
        "not a stored decision",
        "Only a decision as `placet decide --format json` wrote it, whole and unedited, can be "
        "decided again.",
        "give that file to `placet replay`.",
        "不是原样保存的判定。须使用`placet decide --format json`输出的原文件，不得改动。",
    ),
}

CODES: Mapping[str, FaultCode] = MappingProxyType(
    {
        **_reading("R", "the rule file or folder"),
        **_shape("R", "the rule file"),
        **_RULES,
        **_reading("V", "the vocabulary, code list or list of sources"),
        **_shape("V", "the vocabulary or list of sources"),
        **_VOCABULARY,
        **_reading("O", "the document"),
        **_ORDERS,
        **BACKENDS,
        **REQUESTS,
    }
)
