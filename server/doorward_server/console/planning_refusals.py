"""Why what was sent from a planning page is not kept, beside what stands against the plan itself."""

from doorward_server.problems import Problem


def changed_by_another() -> Problem:
    """Somebody else has kept the draft since the form was filled."""
    return Problem(
        409,
        "draft_changed",
        "这份草稿刚被他人修改，您的修改没有保存。",
        "Somebody else has changed this draft meanwhile; yours is not kept.",
        "Open the run in another window, compare, and enter what is missing there. "
        "请在新窗口打开该线路，核对后补充您的修改。",
    )


def answered_meanwhile() -> Problem:
    """What the run was to serve needs no run any more."""
    return Problem(
        409,
        "requests_answered",
        "其中的任务申请已被编入其他线路、已有答复，或时间已过。",
        "A request that this run was to serve has been planned or answered, or its time has passed.",
        "See whether its stop is still wanted, then keep the run again. "
        "请核对该站点是否仍需要，然后重新保存。",
    )


def of_another_day() -> Problem:
    """A run has one day."""
    return Problem(
        409,
        "another_day",
        "该申请与线路不在同一天。",
        "The request is for another day than the run.",
        "Plan it into a run of its own day. 请编入申请当天的线路。",
    )


def nothing_differs() -> Problem:
    """A change that changes nothing."""
    return Problem(
        422,
        "nothing_differs",
        "车辆和押运组与已发布的一致。",
        "Vehicle and crew are those that have been released.",
        "Enter what is to change. 请填写要变更的内容。",
    )
