"""What the codes of faults in requests mean and how they are mended: the family W."""

from __future__ import annotations

from engine.fault_code import FaultCode

REQUESTS = {
    "W101": FaultCode(
        "request cannot be read",
        "A part of the request is not what its place needs: a query parameter, a header, a name "
        "that the body must have.",
        "look at the pointer or name in the message; `/openapi.json` describes every request.",
        "请求无法读取：参数、请求头或内容有误。须核对所指位置；各项请求的写法见`/openapi.json`。",
    ),
    "W102": FaultCode(
        "no key, or one that opens nothing",
        "The service asks for an API key, and the request has none that it knows.",
        "send `Authorization: Bearer KEY`, or sign in to the workbench.",
        "未提供密钥，或密钥无效。须登录，或以`Authorization: Bearer`提供密钥。",
    ),
    "W103": FaultCode(
        "the key may not do this",
        "A key of role `read` decides and looks; drafts are changed, and cases opened and sent "
        "events, with a key of role `draft`.",
        "use a key of role `draft`; whoever runs the service makes one with `placet key`.",
        "此密钥只供查阅和判定，不得更改草案或办理个案。更改或办理须使用`draft`角色的密钥，"
        "由本服务的管理人发放。",
    ),
    "W104": FaultCode(
        "sent from another site",
        "The browser says that a page of another site sent this request.",
        "use the workbench at its own address.",
        "请求来自其他网站的页面，未予受理。须在本工作台的网址上操作。",
    ),
    "W105": FaultCode(
        "nothing there",
        "The address names a page, rule set, rule, process, scenario, case or fault that does not "
        "exist.",
        "check the id; the lists under `/v1/` name what there is.",
        "找不到所指的规则集、规则、流程、情景、个案或页面。须核对名称或编号。",
    ),
    "W106": FaultCode(
        "method not possible here",
        "The address exists, but not for this method.",
        "use one of the methods in the `Allow` header.",
        "此地址不支持该请求方法。须使用`Allow`所列的方法。",
    ),
    "W107": FaultCode(
        "request came too slowly",
        "The body of the request did not arrive in the time that one request has.",
        "send it again; for many orders use the stream, which has its time for each line.",
        "请求未在时限内传完。须重新发送；大批订单应逐行提交。",
    ),
    "W108": FaultCode(
        "shipped scenarios are not changed",
        "A scenario that is shipped with the rules is read only.",
        "save a copy as a draft and change that.",
        "随附情景只供查阅，不得更改。须复制为草案后更改。",
    ),
    "W109": FaultCode(
        "changed by somebody else",
        "The draft or case was changed since it was read: its version is not the one in "
        "`If-Match`. Nothing was written.",
        "read it again, see whether your change still fits, and send the new `ETag`.",
        "草案或个案已被他人更改，本次更改未写入。须重新载入，再作更改。",
    ),
    "W110": FaultCode(
        "request too large",
        "The body of the request is larger than 1,000,000 bytes. Nothing of it was used.",
        "send less at once; many orders go through `/v1/decide/stream` line by line.",
        "请求过大：至多1,000,000字节，未采用任何部分。须分次提交。",
    ),
    "W111": FaultCode(
        "content of another kind",
        "The `Content-Type` of the body is none that this address reads.",
        "send JSON as `application/json`; orders line by line as `application/x-ndjson`; a "
        "scenario also as `application/yaml`.",
        "不支持此类型的内容。须以`application/json`提交；情景也可用`application/yaml`。",
    ),
    "W112": FaultCode(
        "unknown host name",
        "The request names a host under which this service is not offered.",
        "use its own address; whoever runs the service adds names in `PLACET_HOSTS`.",
        "本服务不在此主机名下提供。须使用本服务自身的网址；管理人可在`PLACET_HOSTS`中增列。",
    ),
    "W113": FaultCode(
        "version not named",
        "A draft is changed or removed only by somebody who says which version they have seen.",
        "send the `ETag` of the draft as `If-Match`.",
        "未写明所见草案的版本。更改或删除草案，须以`If-Match`写明其`ETag`。",
    ),
    "W114": FaultCode(
        "too many requests",
        "This caller sent more requests than one caller may in that time.",
        "wait as long as `Retry-After` says; many orders go through one stream.",
        "请求过于频繁。须按`Retry-After`所示时间等候后重试。",
    ),
    "W115": FaultCode(
        "fault of the service",
        "The service met something that it was not built for. Nothing was decided and nothing "
        "was changed by this request.",
        "try again; if it stays, report it with the request's number from `X-Request-Id`.",
        "服务出现内部错误，未作判定，也未更改任何内容。须重试；仍不能完成的，"
        "将`X-Request-Id`所载编号告知管理人。",
    ),
    "W116": FaultCode(
        "took too long",
        "The work was stopped: its time was over, or it took more memory than it may. Nothing was "
        "decided.",
        "ask for less at once: fewer cells, a smaller draft of rules.",
        "处理超出时间或内存上限，已停止，未作判定。须缩小范围后重试。",
    ),
    "W117": FaultCode(
        "busy",
        "All that could do this work is busy or was ended from outside, or the service is about "
        "to stop.",
        "try again after a moment.",
        "服务繁忙或即将停止，未予处理。须稍后重试。",
    ),
    "W118": FaultCode(
        "no room for more",
        "The team has as many drafts or cases as the service keeps, or a case has as many events.",
        "remove drafts that are no longer needed; cases are kept for good, in a new database if "
        "need be.",
        "草案、个案或事件数量已达上限，未予保存。须先删除不再需要的草案；个案须另建数据库。",
    ),
    "W119": FaultCode(
        "draft of rules is not complete",
        "A draft of rules has an id that no shipped rule set has, and files by name; it may be "
        "based on a shipped rule set.",
        'write `{"id": …, "based_on": …, "files": {"regime.yaml": …}}`.',
        "规则草案不完整。须写明`id`（不得与现有规则集相同）和各规则文件（`files`）。",
    ),
    "W120": FaultCode(
        "key used for something else",
        "A request with the same `Idempotency-Key` was taken before, and it said something else. "
        "Nothing was written.",
        "send each new request with a key of its own, and a request that is sent again unchanged.",
        "该键已用于另一项请求，本次请求未写入。每项新请求须使用新的键；重发的请求须与原请求相同。",
    ),
    "W201": FaultCode(
        "not the axes of a sweep",
        "A sweep is an envelope with `axes`: a list of one axis or two, each a block of names.",
        'write `"axes": [{"fact": "order.quantity", "from": "1", "to": "100", "step": "1"}]`.',
        "分析轴的写法有误。`axes`须列出一个或两个轴。",
    ),
    "W202": FaultCode(
        "unknown name in an axis",
        "An axis knows `fact` or `parameter`, `from`, `to`, `step`, `count` and `values`.",
        "take the name that the help suggests, or take the line out.",
        "分析轴中没有这一名称。可用`fact`、`parameter`、`from`、`to`、`step`、`count`、`values`。",
    ),
    "W203": FaultCode(
        "axis without a subject",
        "An axis varies one fact or one parameter, named by text; here none is named, or both.",
        "give `fact` or `parameter`, not both.",
        "未指明轴上的变量，或同时指明两个。`fact`和`parameter`须填其一。",
    ),
    "W204": FaultCode(
        "no such fact or parameter to vary",
        "The vocabulary has no fact of this name, or the regime no parameter.",
        "take the name that the help suggests.",
        "没有这一事实或参数。须核对名称。",
    ),
    "W205": FaultCode(
        "cannot be varied",
        "A derived fact is computed from others, and text is carried and never judged.",
        "vary the facts from which it is computed.",
        "此项不能作为变量：由其他事实计算得出，或为不参与判断的文本。须改变据以计算的事实。",
    ),
    "W206": FaultCode(
        "values of an axis not clear",
        "The values are listed, or they run from one to another by a step or a count. Codes and "
        "yes/no values are always listed. Here none of these ways is complete, or two are mixed.",
        "give `values`, or `from` and `to` with either `step` or `count`.",
        "取值写法不完整，或混用了两种写法。须逐个列出`values`，或写明`from`、"
        "`to`以及`step`或`count`。",
    ),
    "W207": FaultCode(
        "value of an axis does not fit",
        "A value, step or count is not written as its type asks, lies outside its bounds, or is "
        "no known code; a parameter always has a value.",
        "write it as in an order; null stands for unknown, of facts only.",
        "取值的写法不符合类型、超出允许范围，或不在列表中。须按订单的写法填写；参数不得为未知。",
    ),
    "W208": FaultCode(
        "sweep too large",
        "A sweep has at most 100,000 cells, and at most 1,000 values of a parameter or of the "
        "date that chooses the rules. Nothing was judged.",
        "take larger steps, or a smaller range; `as_of` fixes the rules to one day.",
        "分析范围过大：至多100,000格；改变参数或规则基准日的轴至多1,000个值。"
        "须加大步长或缩小范围。",
    ),
    "W209": FaultCode(
        "range without values",
        "`to` lies after `from`, a step is larger than nothing, and a count is 2 or more and no "
        "larger than the number of values there are.",
        "mend the number that the message names; list a single value under `values`.",
        "范围内没有可取的值。终点须大于起点，步长须大于零，点数须为2以上且不多于可取的值。",
    ),
    "W210": FaultCode(
        "varied twice",
        "A value is listed twice, or both axes vary the same fact or parameter.",
        "list each value once; let the second axis vary something else.",
        "重复取值：同一数值列了两次，或两轴的变量相同。须各列一次，两轴取不同变量。",
    ),
    "W211": FaultCode(
        "cells disagree with the catalogue",
        "Some cells name a product and state another figure than the catalogue has for it; no "
        "such order can be decided.",
        "leave the figure to the catalogue; or leave the product out and state the item's figures.",
        "部分格的数值与产品目录不一致，不能判定。须由产品目录提供参数；或不选产品，"
        "自行填写物项参数。",
    ),
}
