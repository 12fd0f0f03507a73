/* How runs of gpup share a host: its lock, its ledger of owed starts, each run's journal. `run` searches every history of
 * one host, two VMs and two clients with three runs and FAULTS faults (fault(...) marks where they strike). Any process
 * may pause for as long as it likes. A run is an apply, or the later one, from the same machine or a clean one, one that
 * only brings back what is owed. Its steps go one at a time, in the order of the plan; what it gave up may run beside.
 *
 * Never: two clients whose writes have effect in turns, or a write under a lock that is not the newest; a write whose
 * intent is not in the journal; a second adapter. In the end, when all is quiet: a VM that ran runs, is owed a start on
 * the host, or is named.
 *
 * A guest whose stop was cut off, or took too long, may go down later: until then its VM runs.
 *
 * -DBUG_... seeds an error, which is found. An action bears the name of what it stands for in the code; `run` looks for
 * each there:
 *   adapters/agent/agent.ps1: Lock_GpupHost Confirm_GpupLock Enter_GpupEffect Add_GpupOwedStart Remove_GpupOwedStart
 *   adapters/agent/agent.ps1: Clear_GpupOldOwedStarts Stop_GpupVm Complete_GpupStop Start_GpupVm Add_GpupPartition
 *   adapters/agent/agent.ps1: Remove_GpupPartition Invoke_GpupWriting Start_GpupAgent
 *   adapters/powershell_hosts.cpp: take_lock lock_again
 *   adapters/agent_session.cpp: request
 *   execute/host_writer.h: stop_vm start_vm assign_partition unassign_partition unlock
 *   execute/execute.cpp: Run lock_hosts perform_step note_intent send restore_vm forget_owed_start was_off
 *   execute/step_check.cpp: before_step after_step
 *   observed/host_reader.h: observe
 *   plan/make_plan.cpp: make_plan
 * and these are the model's own: ends_start write cmdlet ends plan_vm has_not_written ended end_of_run */
#ifndef FAULTS
#define FAULTS 2
#endif
#define fault(kind) faults > 0 -> faults--
#define NONE 7
#define nothing 0

/* The host: its VMs ---------------------------------------------------------------------------------------------- */
bool running[2] = true;
bool leaving[2]; /* its guest shuts down, and shows Running until then */
byte adapters[2];

/* what is below ProgramData\gpup */
byte number;        /* lock.number */
byte holder = NONE; /* the session that holds the file `lock` open */
byte owed[2];       /* owed/ID.json: the number of the lock in it; 0 where it is absent */

/* its sessions, two a client: one that is used, one that was lost and still ends its cmdlet */
typedef Session {
  byte lock;      /* LockNumber; 0: the process is gone */
  bool linked;    /* its input has not ended */
  bool clears[2]; /* an observation beside the steps is about to forget this owed start */
}
Session session[4];
#define S session[s]

/* and what is asked of them. Its descent in the plan is its number: a step of a lower number comes later. */
mtype:Op = { stop_vm, unassign_partition, assign_partition, start_vm };
mtype:At = { asked, in_cmdlet, acted, answered };
typedef Job {
  mtype:Op op;
  mtype:At at;
  byte vm, by, lock; /* by: the session */
  bool intent;       /* it is in the journal */
  bool unplanned;    /* a start that brings a VM back, whatever the journal's state */
  bool ok, given_up;
}
Job job[3]; /* each beside the first costs a fault */
#define J job[j]
#define JS session[J.by]

/* What is watched ------------------------------------------------------------------------------------------------ */
byte faults = FAULTS;
byte runs = 2, clients = 2;
bool named[2];      /* a run has told that the VM is left off */
byte newest;        /* the newest lock under which something was written */
byte writer = NONE; /* the client that wrote last */
bool past[2];       /* another has written since this client's run did */

/* The agent ------------------------------------------------------------------------------------------------------ */
#ifdef BUG_LATE_WRITE
#define Confirm_GpupLock() true
#else
#define Confirm_GpupLock() (J.lock == JS.lock && J.lock == number)
#endif
#define forget(j) J.op = 0; J.at = 0; J.vm = 0; J.by = 0; J.lock = 0; J.intent = 0; J.unplanned = 0; J.ok = 0; J.given_up = 0
#define answer(yes) J.ok = yes; J.at = answered

inline Lock_GpupHost() { number++; holder = s; S.lock = number; S.linked = true }
inline Add_GpupOwedStart() { owed[J.vm] = J.lock }
inline Remove_GpupOwedStart() { owed[J.vm] = 0 }

/* Whether the VM was started after the note, or an hour has passed: then no guest is still on its way. */
#ifdef BUG_LEAVING_FORGOTTEN
#define has_stayed(v) running[v]
#else
#define has_stayed(v) (running[v] && !leaving[v])
#endif
#ifdef BUG_NEWER_FORGOTTEN
#define is_old(v) (S.lock != 0 && owed[v] != 0 && owed[v] != S.lock && has_stayed(v))
#else
#define is_old(v) (owed[v] != 0 && owed[v] < S.lock && has_stayed(v))
#endif
inline Clear_GpupOldOwedStarts() {
  if :: is_old(0) -> owed[0] = 0 :: true /* it cannot be told yet */ fi;
  if :: is_old(1) -> owed[1] = 0 :: true fi
}

inline Enter_GpupEffect() {
  if
  :: Confirm_GpupLock() -> J.at = in_cmdlet
  :: else -> answer(false)
  fi
}

inline Stop_GpupVm() {
  if
  :: !Confirm_GpupLock() -> answer(false)
  :: Confirm_GpupLock() && !running[J.vm] -> answer(true)
  :: else ->
#ifndef BUG_OWED_AFTER_STOP
    Add_GpupOwedStart();
#endif
    Enter_GpupEffect()
  fi
}

inline Complete_GpupStop(turns_off) {
#ifdef BUG_OWED_AFTER_STOP
  Add_GpupOwedStart();
#endif
  if
  :: !running[J.vm] -> answer(true)
  :: running[J.vm] && !turns_off -> answer(false)
  :: running[J.vm] && turns_off -> Enter_GpupEffect()
  fi
}

inline Start_GpupVm() {
#ifdef BUG_OWED_REMOVED_EARLY
  Remove_GpupOwedStart();
#endif
  if
  :: running[J.vm] -> J.at = acted
  :: else -> Enter_GpupEffect()
  fi
}
inline ends_start() {
  if
  :: running[J.vm] && Confirm_GpupLock() -> Remove_GpupOwedStart(); answer(true)
  :: else -> answer(false)
  fi
}

inline Add_GpupPartition() {
  if
#ifdef BUG_REPEATED_ASSIGN /* the agent's own look would hide it */
  :: !running[J.vm] -> Enter_GpupEffect()
#else
  :: !running[J.vm] && adapters[J.vm] == 0 -> Enter_GpupEffect()
#endif
  :: else -> answer(false)
  fi
}

inline Remove_GpupPartition() {
  if
  :: !running[J.vm] && adapters[J.vm] == 1 -> Enter_GpupEffect()
  :: else -> answer(false)
  fi
}

/* Something is written: what must hold then. */
inline write() {
  assert(J.intent || J.unplanned);
  assert(J.lock >= newest);
  newest = J.lock;
  assert(!past[J.by / 2]);
  if
  :: writer != NONE && writer != J.by / 2 -> past[writer] = true
  :: else
  fi;
  writer = J.by / 2
}

/* The platform does it, or refuses. */
inline cmdlet() {
  if
  :: J.op == stop_vm -> write(); running[J.vm] = false; leaving[J.vm] = false; J.at = acted
  :: J.op == start_vm -> write(); running[J.vm] = true; named[J.vm] = false; J.at = acted
  :: J.op == assign_partition && !running[J.vm] -> write(); adapters[J.vm]++; assert(adapters[J.vm] < 2); answer(true)
  :: J.op == unassign_partition && !running[J.vm] && adapters[J.vm] > 0 -> write(); adapters[J.vm]--; answer(true)
  :: else -> answer(false)
  fi
}

#define is_of(s, i) (job[i].at != nothing && job[i].by == s && job[i].lock == session[s].lock)
#define has_job(s) (is_of(s, 0) || is_of(s, 1) || is_of(s, 2))
#define is_in_cmdlet(s, i) (is_of(s, i) && job[i].at == in_cmdlet)
#define writes(s) (is_in_cmdlet(s, 0) || is_in_cmdlet(s, 1) || is_in_cmdlet(s, 2))

#define is_busy_with(v, i) (is_of(J.by, i) && job[i].vm == v && (job[i].at == in_cmdlet || job[i].at == acted))
#ifdef BUG_NO_ORDER_BY_VM
#define begins lives(asked)
#else
#define begins (lives(asked) && !is_busy_with(J.vm, 0) && !is_busy_with(J.vm, 1) && !is_busy_with(J.vm, 2))
#endif
#define lives(at_) (J.at == at_ && J.lock == JS.lock)
#ifdef BUG_NOTE_OVERTAKEN
#define may_note true
#else
#define may_note (!JS.clears[J.vm])
#endif
#define is_cut_off (J.at != nothing && (!JS.linked || J.lock != JS.lock || (J.at == answered && J.given_up)))
#ifdef BUG_LOCK_FREED_EARLY
#define acts (J.at == in_cmdlet)
#else
#define acts lives(in_cmdlet)
#endif

/* A request on the host, from its arrival to its reply. */
proctype Invoke_GpupWriting(byte j) {
end:
  do
  :: d_step { begins && J.op == stop_vm && may_note -> Stop_GpupVm() }
  :: d_step { begins && J.op == start_vm -> Start_GpupVm() }
  :: d_step { begins && J.op == assign_partition -> Add_GpupPartition() }
  :: d_step { begins && J.op == unassign_partition -> Remove_GpupPartition() }
  :: d_step { acts -> cmdlet() }
  :: d_step { acts && fault("the cmdlet fails"); answer(false) }
  :: d_step { acts && J.op == stop_vm && running[J.vm] && fault("the guest is slow"); write(); leaving[J.vm] = true; J.at = acted }
  :: d_step { lives(acted) && J.op == stop_vm -> Complete_GpupStop(false) }
  :: d_step { lives(acted) && J.op == stop_vm && running[J.vm] -> Complete_GpupStop(true) } /* stop.mode: turn-off */
  :: d_step { lives(acted) && J.op == start_vm -> ends_start() }
  /* At the end of input what waits is not begun, and what runs is asked to end. */
  :: d_step { is_cut_off -> forget(j) }
  :: d_step { is_cut_off && J.at == in_cmdlet && J.op == stop_vm && running[J.vm] -> write(); leaving[J.vm] = true; forget(j) }
  od
}

inline ends() { /* and its lock with it */
  if :: holder == s -> holder = NONE :: else fi;
  S.lock = 0; S.linked = false; S.clears[0] = false; S.clears[1] = false
}

proctype Start_GpupAgent(byte s) {
end:
  do
#ifdef BUG_LOCK_FREED_EARLY
  :: d_step { S.lock != 0 && !S.linked -> ends() }
#else
  :: d_step { S.lock != 0 && !S.linked && !has_job(s) -> ends() }
#endif
  :: d_step { S.linked && fault("it is lost"); S.linked = false }
  :: d_step { S.linked && is_old(0) && !S.clears[0] -> S.clears[0] = true }
  :: d_step { S.linked && is_old(1) && !S.clears[1] -> S.clears[1] = true }
  :: d_step { S.clears[0] -> owed[0] = 0; S.clears[0] = false }
  :: d_step { S.clears[1] -> owed[1] = 0; S.clears[1] = false }
  od
}

/* A run ----------------------------------------------------------------------------------------------------------- */
mtype:Claim = { done, refused, interrupted, unreachable };
mtype:Before = { go, already, not_as_planned };

/* Reading needs no lock, and a lost session is followed by another. */
inline observe() {
  if
  :: readable = true;
    if :: S.linked -> Clear_GpupOldOwedStarts() :: else fi
  :: fault("it cannot be read"); readable = false
  fi
}

#define adapt (goal -> assign_partition : unassign_partition)
#define changes(v) (!only_power && adapters[v] != goal)
inline plan_vm(v) {
  starts[v] = (changes(v) && running[v]) || (owed[v] != 0 && !running[v]);
  step[v] = (changes(v) -> (running[v] -> stop_vm : adapt) : (starts[v] -> start_vm : nothing))
}
/* A plan may be of any age, but check_facts refuses one that does not fit any more: what is performed is what would be
 * planned under the lock. */
inline make_plan() { plan_vm(0); plan_vm(1) }

inline take_lock() {
  s = 2 * c;
  if :: S.lock != 0 -> s = 2 * c + 1 :: else fi;
  S.lock == 0; /* else it waits */
  Lock_GpupHost();
  if
  :: mine = S.lock
  :: fault("the reply is lost"); S.linked = false
  fi
}
inline has_not_written() {
  past[c] = false;
  if :: writer == c -> writer = NONE :: else fi
}
inline lock_hosts() {
  if
  :: holder == NONE
  :: holder != NONE && !writes(holder) && fault("the holder is stopped, loses the lock, and wakes up")
  fi;
  take_lock();
  has_not_written()
}
/* After a lost session: what was planned still holds only if nobody else had the lock meanwhile. */
inline lock_again() {
  if
  :: S.lock == mine && S.linked
  :: (S.lock != mine || !S.linked) && holder != NONE && holder / 2 == c /* it waited for long enough */
  :: (S.lock != mine || !S.linked) ->
    (holder == NONE || holder / 2 != c);
    if
#ifdef BUG_LOCK_AGAIN
    :: holder == NONE -> take_lock()
#else
    :: holder == NONE && number == mine -> take_lock()
#endif
    :: else -> mine = 0
    fi
  fi
}

/* A request that writes; claim is done once it is sent. */
inline send(what, noted, unplanned_) {
  if :: mine != 0 -> lock_again() :: else fi;
  if
  :: mine != 0 && S.lock == mine && S.linked ->
    j = 0;
    if :: J.at != nothing -> j = 1 :: else fi;
    if :: J.at != nothing -> j = 2 :: else fi;
    J.at == nothing;
    J.op = what; J.at = asked; J.vm = v; J.by = s; J.lock = mine; J.intent = noted; J.unplanned = unplanned_;
    claim = done
  :: else -> claim = unreachable
  fi
}
/* Its reply. */
inline request() {
  if
  :: claim == unreachable
  :: claim == done && S.linked && J.at == answered -> claim = (J.ok -> done : refused); forget(j)
  :: claim == done && S.linked && J.at != answered && fault("it is late"); J.given_up = true; claim = interrupted
  :: claim == done && !S.linked -> claim = interrupted
  :: claim == done && fault("the run is killed"); goto killed
  fi;
  j = 0
}

/* Of a VM that runs, was off under this lock, and whose host was not asked to start it, or was not heard. Where more
 * than FAULTS faults would be needed for it, the lock is not taken again. */
inline forget_owed_start() {
  if :: mine != 0 && S.lock == mine && S.linked && mine == number -> owed[v] = 0 :: else fi /* Confirm_GpupLock */
}

inline before_step() {
  if
  :: !readable -> look = not_as_planned
  :: readable && step[v] == stop_vm -> look = (!running[v] -> already : (adapters[v] == goal -> not_as_planned : go))
  :: readable && step[v] == start_vm -> look = (running[v] -> already : go)
  :: readable && step[v] == adapt -> look = (adapters[v] == goal -> already : (running[v] -> not_as_planned : go))
  fi
}
inline after_step() {
  well = readable && (step[v] == stop_vm -> !running[v] : (step[v] == start_vm -> running[v] : adapters[v] == goal))
}
inline ended() {
  if
  :: !well -> step[v] = nothing
  :: well && step[v] == stop_vm -> step[v] = adapt; down[v] = true
  :: well && step[v] == adapt -> step[v] = (starts[v] -> start_vm : nothing)
  :: well && step[v] == start_vm -> step[v] = nothing; stopped[v] = false
  fi;
  if :: step[v] == nothing -> starts[v] = false :: else fi;
  v = 0; well = false; readable = false; look = 0; claim = 0
}

#ifdef BUG_INTENT_LATE
#define note_intent() false
#else
#define note_intent() true
#endif
inline perform_step() {
  atomic {
    observe();
    before_step();
    if
    :: look == go && fault("the journal cannot be written"); look = not_as_planned
    :: look == go -> send(step[v], note_intent(), false)
    :: look != go
    fi;
    if :: look == already && step[v] == start_vm -> forget_owed_start() :: else fi;
    if :: look != go -> well = (look == already); ended() :: else fi
  }
  if
  :: look == 0
  :: look == go ->
#ifdef BUG_INTENT_LATE
    d_step { if :: claim == done && S.linked -> J.intent = true :: else fi }
#endif
    atomic {
      request();
#ifdef BUG_REPEATED_ASSIGN
      if :: step[v] == assign_partition && claim == interrupted -> send(step[v], true, false); request() :: else fi;
#endif
      if
      :: step[v] == stop_vm -> stopped[v] = (claim != unreachable)
      :: step[v] == start_vm -> told[v] = (claim == done || claim == refused)
      :: else
      fi;
      observe(); /* verify */
      after_step();
      if
      :: well && step[v] == start_vm && claim != done ->
        if :: mine != 0 -> lock_again() :: else fi;
        forget_owed_start()
      :: else
      fi;
      ended()
    }
  fi
}

#ifdef BUG_FORGOTTEN_WHILE_LEAVING
#define was_off true
#else
#define was_off down[v] /* its stop ended well */
#endif

/* Brings back a VM that this run has stopped, in two tries, or names it. */
inline restore_vm() {
  claim = interrupted;
  do
  :: atomic {
      observe();
      if
      :: readable && running[v] && was_off ->
        if :: mine != 0 -> lock_again() :: else fi;
        forget_owed_start();
        break
      :: readable && running[v] && !was_off -> break
      :: !(readable && running[v]) && (told[v] || !readable || claim != interrupted || tries == 2) ->
        named[v] = true; break
      :: else -> tries++; send(start_vm, false, true)
      fi
    }
    atomic { request() }
  od;
  atomic { stopped[v] = false; v = 0; tries = 0; claim = 0; readable = false }
}

inline unlock() {
  if
  :: mine != 0 && S.lock == mine && S.linked && mine == number && !has_job(s) -> ends()
  :: else -> S.linked = false
  fi
}

inline end_of_run() {
  has_not_written();
  s = 2 * c; mine = 0; v = 0; j = 0; tries = 0; claim = 0; look = 0; readable = 0; only_power = 0;
  down[0] = 0; down[1] = 0;
  step[0] = 0; step[1] = 0; starts[0] = 0; starts[1] = 0; stopped[0] = 0; stopped[1] = 0; told[0] = 0; told[1] = 0
}

proctype Run(byte c; bool goal) {
  byte s, mine, v, j, tries; /* mine: the number of our lock */
  bool readable, well, only_power, starts[2], stopped[2], told[2], down[2];
  mtype:Op step[2];
  mtype:Claim claim;
  mtype:Before look;
  s = 2 * c;
  do
  :: atomic {
      lock_hosts();
      if :: mine != 0 -> Clear_GpupOldOwedStarts(); make_plan() :: else fi
    }
    do
    :: mine != 0 && (step[0] != nothing || step[1] != nothing) -> v = (step[1] > step[0] -> 1 : 0); perform_step()
    :: mine == 0 || (step[0] == nothing && step[1] == nothing) -> break
    :: atomic { (step[0] != nothing || step[1] != nothing) && fault("the run is cancelled"); break }
    :: atomic { (step[0] != nothing || step[1] != nothing) && fault("the run is killed"); goto killed }
    od;
    do /* restore */
    :: stopped[0] || stopped[1] -> v = (stopped[0] -> 0 : 1); restore_vm()
    :: !stopped[0] && !stopped[1] -> break
    :: atomic { (stopped[0] || stopped[1]) && fault("the run is killed"); goto killed }
    od;
    atomic { unlock(); end_of_run() }
    if
    :: false ->
killed:
      atomic { session[2 * c].linked = false; session[2 * c + 1].linked = false; end_of_run() }
    :: else
    fi;
    if
    :: atomic { runs == 2 && faults < FAULTS -> runs++; if :: only_power = true :: only_power = false fi }
    :: clients--; break
    fi
  od
}

#define is_accounted_for(v) (running[v] || owed[v] != 0 || named[v])

init {
  byte n;
  atomic {
    adapters[1] = 1;
    for (n : 0 .. 2) { run Invoke_GpupWriting(n) }
    for (n : 0 .. 3) { run Start_GpupAgent(n) }
    run Run(0, true); run Run(1, false);
    n = 0
  }
  do
  :: d_step { leaving[0] -> leaving[0] = false; running[0] = false }
  :: d_step { leaving[1] -> leaving[1] = false; running[1] = false }
  :: clients == 0 && !leaving[0] && !leaving[1] &&
     session[0].lock == 0 && session[1].lock == 0 && session[2].lock == 0 && session[3].lock == 0 -> break
  od;
  assert(holder == NONE);
  assert(is_accounted_for(0) && is_accounted_for(1))
}
