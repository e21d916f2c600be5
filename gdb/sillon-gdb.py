# SPDX-License-Identifier: MIT
"""Commands for gdb: the coroutines of a program that uses sillon, and where each of them waits.

    sillon coroutines                 list them
    sillon backtrace WHICH [ARGS]     the stack of one that does not run just now; WHICH is an address
                                      from the list, a name, or all; ARGS are those of backtrace

gdb loads this by itself where it is installed beside libsillon.so; otherwise: source sillon-gdb.py. It
needs the debug information of the library, and works with running programs and with core files alike, but
for those that gdb itself writes (gcore): stacks are not in them, because of their guard pages. Only x86-64
with Boost.Context is known (the default there): neither ucontext nor other processors.

How: an unwinder that, while a stack is asked for, claims the innermost frame of the selected thread, and
says that its caller's registers are those which the coroutine left on its stack (fiber_boost.h). So
nothing in the program is changed, and the rest is gdb's.
"""

import re

import gdb
import gdb.unwinder

# What jump_fcontext leaves at the place it hands out (Boost.Context, x86-64, System V), by offset.
SAVED = {"r12": 0x08, "r13": 0x10, "r14": 0x18, "r15": 0x20, "rbx": 0x28, "rbp": 0x30}
RETURN_ADDRESS = 0x38
STACK_THEN = 0x40

# lea 0x80(%rsp),%rsp: what our own jump there returns to. The compiler does not know of it: by what it
# says of the frame, this has happened.
STEP_BACK = bytes.fromhex("488da42480000000")
RED_ZONE = 0x80


def evaluate(expression):
    try:
        return gdb.parse_and_eval(expression)
    except gdb.error as error:
        raise gdb.GdbError(
            "sillon: no debug information of the library (%s)" % error
        ) from error


def struct_type(name):
    try:
        return gdb.lookup_type("struct " + name)
    except gdb.error as error:
        raise gdb.GdbError(
            "sillon: no debug information of the library (%s)" % error
        ) from error


def container_of(pointer, name, member):
    kind = struct_type(name)
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == member)
    return gdb.Value(int(pointer) - offset).cast(kind.pointer())


def read_word(address):
    memory = gdb.selected_inferior().read_memory(address, 8)
    return int.from_bytes(memory.tobytes(), "little")


# --- what there is -------------------------------------------------------------------------------


class Coroutine:
    """One that has begun and has not ended."""

    def __init__(self, loop, value):
        self.loop = loop
        self.value = value
        self.address = int(value)

    def task(self):
        """Not that of one whose callbacks run: it may be gone."""
        frame = self.value["context"]["frame"]
        while int(frame) != 0 and bool(frame["over"]):
            frame = frame["outer"]
        return frame["task"] if int(frame) != 0 and int(frame["task"]) != 0 else None

    def name(self):
        task = self.task()
        details = task["details"] if task is not None else 0
        if int(details) == 0 or not bool(details["named"]):
            return ""
        text = details["name"].address.cast(gdb.lookup_type("char").pointer())
        return text.string(errors="backslashreplace")

    def function(self):
        task = self.task()
        if task is None or int(task["fn"]) == 0:
            return "?"
        name = re.search(r"<([^>]*)>", str(task["fn"]))
        return name.group(1) if name else hex(int(task["fn"]))

    def state(self):
        if int(self.loop["current"]) == self.address:
            return "running"
        return "waiting" if bool(self.value["parked"]) else "ready"

    def purpose(self):
        if self.state() != "waiting":
            return ""
        if int(self.value["joins"]) != 0:
            return "coroutine %#x" % int(self.value["joins"])
        waiter = self.value["waiter"]
        if int(waiter) == 0 or int(waiter["purpose"]) == 0:
            return ""
        text = waiter["purpose"]["text"]
        return text.string() if int(text) != 0 else "futures"


def loops():
    ops = int(evaluate("&sil__loop_source"))
    source = evaluate("sil__registry.first")
    while int(source) != 0:
        if int(source["ops"]) == ops:
            yield container_of(source, "sil__loop", "source")
        source = source["next"]


def coroutines():
    for loop in loops():
        value = loop["live"]
        of_loop = []
        while int(value) != 0:
            of_loop.append(Coroutine(loop, value))
            value = value["next_live"]
        yield from reversed(of_loop)  # the oldest first


# --- the stack of one -------------------------------------------------------------------------------


class Saved:
    """Where a coroutine goes on."""

    def __init__(self, context):
        self.registers = {name: read_word(context + at) for name, at in SAVED.items()}
        pc = read_word(context + RETURN_ADDRESS)
        sp = context + STACK_THEN
        code = gdb.selected_inferior().read_memory(pc, len(STEP_BACK)).tobytes()
        if code == STEP_BACK:
            pc += len(STEP_BACK)
            sp += RED_ZONE
        self.registers["rip"] = pc
        self.registers["rsp"] = sp
        # Below all of its frames: gdb wants those that called to lie above.
        self.lowest = context


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class CoroutineUnwinder(gdb.unwinder.Unwinder):
    """Does nothing, unless it was given a coroutine."""

    def __init__(self):
        super().__init__("sillon coroutine")
        self.saved = None
        self.innermost = None

    def __call__(self, pending_frame):
        if self.saved is None:
            return None
        sp = int(pending_frame.read_register("rsp"))
        pc = int(pending_frame.read_register("rip"))
        if (sp, pc) != self.innermost:
            return None
        word = gdb.lookup_type("unsigned long")
        frame = FrameId(gdb.Value(self.saved.lowest), pending_frame.read_register("rip"))
        info = pending_frame.create_unwind_info(frame)
        for name, number in self.saved.registers.items():
            info.add_saved_register(name, gdb.Value(number).cast(word))
        return info

    def trace(self, saved, arguments):
        """The text of backtrace, from the coroutine's innermost frame."""
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        self.innermost = (int(frame.read_register("rsp")), int(frame.read_register("rip")))
        self.saved = saved
        gdb.invalidate_cached_frames()
        try:
            text = gdb.execute("backtrace " + arguments, to_string=True)
        finally:
            self.saved = None
            gdb.invalidate_cached_frames()
        start = re.search(r"^#1 ", text, re.MULTILINE)
        if not start:
            return text
        return re.sub(
            r"^#(\d+) +",
            lambda m: "#%-2d " % (int(m.group(1)) - 1),
            text[start.start() :],
            flags=re.MULTILINE,
        )


unwinder = CoroutineUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def check_supported():
    name = gdb.selected_inferior().architecture().name()
    if not name.startswith("i386:x86-64"):
        raise gdb.GdbError("sillon: stacks of coroutines are not known on %s" % name)
    try:
        gdb.parse_and_eval("(void *)jump_fcontext")
    except gdb.error as error:
        raise gdb.GdbError(
            "sillon: this program does not use Boost.Context (ucontext is not known)"
        ) from error


# --- the commands -----------------------------------------------------------------------------------


class Sillon(gdb.Command):
    """Coroutines of sillon: sillon coroutines, sillon backtrace."""

    def __init__(self):
        super().__init__("sillon", gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)


class SillonCoroutines(gdb.Command):
    """List all coroutines: loop, address, state, name, function, and what they wait for."""

    def __init__(self):
        super().__init__("sillon coroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        form = "%-16s %-18s %-8s %-20s %s"
        print(form % ("loop", "address", "state", "name", "function, waits for"))
        for each in coroutines():
            purpose = each.purpose()
            print(
                form
                % (
                    each.loop["name"].string(errors="backslashreplace"),
                    "%#x" % each.address,
                    each.state(),
                    each.name(),
                    each.function() + (": " + purpose if purpose else ""),
                )
            )


class SillonBacktrace(gdb.Command):
    """Print the stack of a coroutine: sillon backtrace ADDRESS|NAME|all [ARGUMENTS OF BACKTRACE]."""

    def __init__(self):
        super().__init__("sillon backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("sillon backtrace: an address, a name, or all")
        check_supported()
        chosen = [each for each in coroutines() if self.fits(each, words[0])]
        if not chosen:
            raise gdb.GdbError("sillon backtrace: there is no coroutine '%s'" % words[0])
        for each in chosen:
            self.show(each, " ".join(map(self.one_more, words[1:])))

    @staticmethod
    def one_more(word):
        """A number of frames: one of them is not shown."""
        return str(int(word) + 1) if re.fullmatch("[1-9][0-9]*", word) else word

    @staticmethod
    def fits(each, which):
        if which in ("all", each.name()):
            return True
        try:
            return int(which, 0) == each.address
        except ValueError:
            return False

    @staticmethod
    def show(each, arguments):
        name = "'%s' " % each.name() if each.name() else ""
        print("coroutine %#x %s%s, %s" % (each.address, name, each.function(), each.state()))
        if each.state() == "running":
            print("(its stack is that of the thread that runs it)\n")
            return
        context = int(each.value["fiber"]["context"])
        print(unwinder.trace(Saved(context), arguments))


Sillon()
SillonCoroutines()
SillonBacktrace()
