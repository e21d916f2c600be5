/* SPDX-License-Identifier: MIT */
/*
 * A lane: src/thread/lane.c and the states of fork.c, with one owner that forks and joins as it
 * likes, and thieves.
 *
 * The two words of the edge are written in either order. WEAK: what the owner stores waits in a
 * buffer, one entry a place, and reaches memory in any order at any time, or is overtaken by the
 * next one to the same place; a release waits until all is there. So stores are weaker than on
 * x86, where they would stay in order. Without it, and for thieves, a store that comes late is one
 * that is done late: between the edge and the next locked instruction nothing else is looked at.
 *
 * A child is a number, forked once and never again, so a stale one is told from the right one;
 * its slot is used again and again.
 *
 * While the owner waits for a stolen child it may fork and join others above it (leapfrogging).
 *
 * Sizes (-D): THIEVES, FORKS in all, SLOTS (END is one beyond). LEAP: the owner runs one stolen
 * child, `part` of which its joiner may steal, and then something else on the same lane.
 * Mutations: BROKEN_..., each takes one ingredient away.
 */
#ifndef THIEVES
#define THIEVES 2
#endif
#ifndef FORKS
#define FORKS 4
#endif
#ifndef SLOTS
#define SLOTS 3
#endif
#define END SLOTS

/* In memory. limit: 0 is NULL, 1 is the end. */
byte epoch, tail, split;
bit limit;
byte floor = END;
byte slots[SLOTS];

#ifdef WEAK
/* In the owner's buffer; 255: nothing. */
#define NONE 255
byte limit_to = NONE, floor_to = NONE, slots_to[SLOTS] = NONE;
byte epoch_to = NONE, index_to = NONE; /* a release store of the word, with nothing published */
#endif

bit late[THIEVES]; /* about to set it hungry */

byte live[FORKS + 1]; /* 1 from fork to join, 2 once it ran */

/* The state of a child that others have. */
mtype = { at_frame, at_lane, at_sleeper, done };
mtype state[FORKS + 1];
bit wake; /* the futex word of the owner's sleeper */

#ifdef LEAP
/* The stolen child that the owner runs on this lane, as its joiner (thief 0) sees it. */
mtype for_state = at_lane;
bit part[FORKS + 1]; /* which children are part of it */
bit in_child = 1;
#endif

#if THIEVES == 1
#define nobody_late (!late[0])
#else
#define nobody_late (!late[0] && !late[1])
#endif

#ifdef WEAK

#define word_stored (epoch_to == NONE && index_to == NONE)
#if SLOTS == 2
#define slots_stored (slots_to[0] == NONE && slots_to[1] == NONE)
#elif SLOTS == 3
#define slots_stored (slots_to[0] == NONE && slots_to[1] == NONE && slots_to[2] == NONE)
#else
#define slots_stored \
    (slots_to[0] == NONE && slots_to[1] == NONE && slots_to[2] == NONE && slots_to[3] == NONE)
#endif
#define owner_stored (limit_to == NONE && floor_to == NONE && word_stored && slots_stored)
/* A locked instruction on the word, of order release or stronger. */
#ifdef BROKEN_RELEASE
#define locked word_stored
#else
#define locked owner_stored
#endif
/* What the owner sees itself. */
#define newest(stored, memory) ((stored == NONE) * memory + (stored != NONE) * stored)
#define my_limit newest(limit_to, limit)
#define my_floor newest(floor_to, floor)
#define my_split newest(index_to, split)
#define my_tail newest(index_to, tail)
#define my_epoch newest(epoch_to, epoch)
#define SLOT(index) slots_to[index]
#define SET_FLOOR floor_to = END
#define WORD_INDEX index_to = head
#define WORD_EPOCH epoch_to = my_epoch + 1

inline edge(new_floor, new_limit) {
    floor_to = new_floor;
    limit_to = new_limit
}

#else

#define owner_stored true
#define locked true
#define my_limit limit
#define my_floor floor
#define my_split split
#define my_tail tail
#define SLOT(index) slots[index]
#define SET_FLOOR floor = END
#define WORD_INDEX tail = head; split = head
#define WORD_EPOCH epoch++

inline edge(new_floor, new_limit) {
    if
    :: floor = new_floor; limit = new_limit
    :: limit = new_limit; floor = new_floor
    fi
}

#endif

/* --- the owner ----------------------------------------------------------------------------- */

inline feed(to) {
    d_step { at = my_split; count = (to - at + 1) / 2 }
    if
    :: count > 0 ->
        d_step {
            i = at;
            do
            :: i < at + count -> state[stack[i]] = at_frame; i++
            :: else -> i = 0; break
            od
        }
#ifndef BROKEN_ORDER
        if
        :: edge(at + count, 1)
        :: edge(END, 0) /* there are more idle workers than this is for */
        fi;
#endif
#ifdef BROKEN_STORE
        atomic { owner_stored; kept = tail }
        d_step { tail = kept; split = at + count; kept = 0 }
#else
        d_step { locked; split = split + count }
#endif
#ifdef BROKEN_ORDER
        edge(at + count, 1)
#endif
    :: else
    fi;
    d_step { at = 0; count = 0 }
}

/* taken: whether there was something to take back */
inline take_back() {
    d_step { at = my_split; from = my_tail; taken = 0 }
    do
    :: from < at && !taken ->
        /* Half of them stay, or more: as many as there are idle workers. */
        kept = (at - from) / 2;
        do
        :: kept + 1 < at - from -> kept++
        :: break
        od;
        if
        :: kept > 0 -> edge(from + kept, 1)
        :: else -> edge(END, 0)
        fi;
        d_step {
            owner_stored;
            if
            :: split == at && tail == from -> split = tail + kept; taken = 1
            :: else -> at = split; from = tail
            fi
        }
    :: else -> break
    od;
#ifndef BROKEN_EXIT
    if
    :: !taken -> edge(END, 0)
    :: else
    fi;
#endif
    atomic { at = 0; from = 0; kept = 0 }
}


proctype owner() {
    byte stack[SLOTS]; /* what lies in the slots, for the owner to know */
    byte head, overflow, base, next = 1, at, from, count, kept, i, child;
    bit taken;
again:
    /* I3: nobody is about to write, and nothing is published: hungry. */
    atomic {
        if
        :: my_tail == my_split && head > my_split && nobody_late ->
            assert(my_limit == 0 && my_floor == END)
        :: else
        fi
    }
    /* I2 */
    assert(my_floor >= my_split);
    if
    :: next <= FORKS -> goto fork
    :: head > base || overflow > 0 -> goto join
    :: base > 0 && head == base && overflow == 0 -> goto turned
#ifdef LEAP
    :: base == 0 && head == 0 && overflow == 0 && in_child ->
        /* end, and sil__lane_turn */
        in_child = 0;
        d_step { owner_stored; for_state = done }
#ifndef BROKEN_EPOCH
        WORD_EPOCH;
#endif
        goto again
#endif
    :: next > FORKS && base == 0 && head == 0 && overflow == 0 -> goto all_joined
    fi;

fork:
    atomic { child = next; next++; live[child] = 1 }
#ifdef LEAP
    part[child] = in_child;
#endif
    if
    :: my_limit != 0 && head < END -> d_step { SLOT(head) = child; stack[head] = child; head++ }
    :: my_limit == 0 && head < END ->
        d_step { SLOT(head) = child; stack[head] = child }
        if
        :: my_limit == 0 -> feed(head + 1)
        :: else
        fi;
        head++
    :: head == END ->
        if
        :: my_limit == 0 -> feed(head)
        :: else
        fi;
        overflow++;
        SET_FLOOR;
        d_step { assert(live[child] == 1); live[child] = 0 }
    fi;
    goto again;

join:
    if
    :: head > 0 && head - 1 >= my_floor ->
        /* I2: it is private. */
        d_step { assert(head - 1 >= my_split); head--; child = stack[head] }
        goto popped
    :: else
    fi;
    if
    :: overflow > 0 -> overflow--; goto again
    :: else
    fi;
    if
    :: head - 1 < my_split ->
        take_back();
        if
        :: taken -> taken = 0; head--; child = stack[head]; goto popped
        :: else -> child = stack[head - 1]; goto stolen
        fi
    :: else -> taken = my_tail == my_split
    fi;
    if
    :: my_limit == 0 || taken -> feed(head - 1)
    :: else ->
        /* It was full. */
        edge(my_split, 1);
        atomic { locked; taken = tail == split }
#ifndef BROKEN_FULL
        if
        :: taken -> edge(END, 0)
        :: else
        fi
#endif
    fi;
    taken = 0;
    atomic { head--; child = stack[head] }

popped:
    atomic { assert(live[child] == 1); live[child] = 0; stack[head] = 0; child = 0 }
    goto again;

stolen:
    if
    :: state[child] == done -> goto drop
    :: d_step { state[child] != done && owner_stored; wake = 0; state[child] = at_sleeper }
        wake == 1
    :: base == 0 && state[child] == at_lane && next <= FORKS && head < END ->
        /* Leapfrogging: something else, with children of its own, above what lies there. */
        WORD_EPOCH;
        base = head;
        goto fork
turned:
        WORD_EPOCH;
        atomic { base = 0; child = stack[head - 1] }
        goto stolen
    fi;
drop:
    atomic {
        assert(live[child] == 2); /* it ran, and by now we know */
        assert(my_tail == my_split && my_split == head);
        head--;
        WORD_INDEX;
        live[child] = 0;
        stack[head] = 0;
        child = 0
    }
    goto again;

all_joined:
    atomic { owner_stored; assert(tail == 0 && split == 0) }
}

/* --- thieves ------------------------------------------------------------------------------- */

/* In either order; its next locked instruction comes after both. */
inline hungry_thief() {
    if
    :: floor = END; d_step { limit = 0; late[me] = 0 }
    :: limit = 0; d_step { floor = END; late[me] = 0 }
    fi
}

proctype thief(byte me) {
    byte of_tail, of_split, of_epoch, child;
    mtype was;
look:
    atomic {
        of_tail = tail;
        of_split = split;
        of_epoch = epoch
    }
check:
    if
    :: of_tail == of_split ->
        if
        :: atomic { limit != 0 -> late[me] = 1 }
            hungry_thief()
        :: limit == 0
        fi;
end_empty:
        tail != split; /* what it would find until then is the same */
        goto look
    :: else
    fi;
#ifdef LEAP
end_for:
    if
    :: me > 0
    :: me == 0 && for_state == at_lane
    fi;
#endif
#ifdef BROKEN_ABA
    child = slots[of_tail];
#endif
    d_step {
        if
        :: tail == of_tail && split == of_split && epoch == of_epoch ->
            tail++;
            late[me] = tail == split;
            was = at_frame
        :: else ->
            of_tail = tail;
            of_split = split;
            of_epoch = epoch
        fi
    }
    if
    :: was == at_frame
    :: else -> goto check
    fi;
#ifndef BROKEN_ABA
    child = slots[of_tail];
#endif
#ifdef LEAP
    assert(me > 0 || part[child]);
#endif
    if
    :: of_tail + 1 == of_split ->
#ifdef BROKEN_LAST
        late[me] = 0
#else
        hungry_thief()
#endif
    :: else
    fi;
    /* begin */
    d_step {
        if
        :: state[child] == at_frame -> state[child] = at_lane
        :: else
        fi
    }
    d_step { assert(child > 0 && live[child] == 1); live[child] = 2 } /* it runs */
    /* end */
#ifdef BROKEN_DONE
    was = state[child];
    state[child] = done;
#else
    d_step { was = state[child]; state[child] = done }
#endif
    if
    :: was == at_sleeper -> wake = 1
    :: else
    fi;
    d_step { was = 0; child = 0; of_tail = 0; of_split = 0; of_epoch = 0 }
    goto look
}

/* --- memory -------------------------------------------------------------------------------- */

#ifdef WEAK
proctype memory() {
end_memory:
    do
    :: atomic { limit_to != NONE; limit = limit_to; limit_to = NONE }
    :: d_step { floor_to != NONE; floor = floor_to; floor_to = NONE }
    :: d_step { slots_to[0] != NONE; slots[0] = slots_to[0]; slots_to[0] = NONE }
    :: d_step { slots_to[1] != NONE; slots[1] = slots_to[1]; slots_to[1] = NONE }
#if SLOTS > 2
    :: d_step { slots_to[2] != NONE; slots[2] = slots_to[2]; slots_to[2] = NONE }
#endif
#if SLOTS > 3
    :: d_step { slots_to[3] != NONE; slots[3] = slots_to[3]; slots_to[3] = NONE }
#endif
    /* A release: the last. */
    :: d_step {
            !word_stored && limit_to == NONE && floor_to == NONE && slots_stored;
            epoch = my_epoch;
            tail = my_tail;
            split = my_split;
            epoch_to = NONE;
            index_to = NONE
        }
    od
}
#endif

init {
    byte t;
    atomic {
        run owner();
#ifdef WEAK
        run memory();
#endif
        do
        :: t < THIEVES -> run thief(t); t++
        :: else -> break
        od
    }
}
