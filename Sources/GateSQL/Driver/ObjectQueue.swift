import GateCore
import Synchronization

/// A bounded queue of objects between tasks, which never wait, and threads, which do.
///
/// Not generic: code that is generic over what is queued is not compiled for its users' jobs where they are in other modules, and each
/// access to a job then goes through metadata. SQLite's durable writes were half as many.
package final class ObjectQueue: Sendable {
    package typealias Object = AnyObject & Sendable

    package enum Admission {
        case accepted
        case full
        case closed
    }

    private struct State {
        /// Waiting objects are those from `head` on; what was taken before is `nil`, so that nothing is kept alive.
        var objects: [(any Object)?] = []
        var head = 0
        /// Threads that wait and were not called yet.
        var idle = 0
        var closed = false
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)
    private let bell = Semaphore()
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// How many wait. Kept beside the lock, so that who watches the queue does not hold up those who put into it.
    package var waiting: Int { count.load(ordering: .acquiring) }

    package func put(_ object: any Object) -> Admission {
        let (admission, call) = state.withLock { state -> (Admission, Bool) in
            guard !state.closed else { return (.closed, false) }
            guard state.objects.count - state.head < limit else { return (.full, false) }
            state.objects.append(object)
            count.store(state.objects.count - state.head, ordering: .releasing)
            guard state.idle > 0 else { return (.accepted, false) }
            state.idle -= 1
            return (.accepted, true)
        }
        if call { bell.signal() }
        return admission
    }

    /// Gives back what was just taken, to be the next; also where the queue is closed.
    package func putBack(_ object: any Object) {
        let call = state.withLock { state -> Bool in
            if state.head > 0 {
                state.head -= 1
                state.objects[state.head] = object
            } else {
                state.objects.insert(object, at: 0)
            }
            count.store(state.objects.count - state.head, ordering: .releasing)
            guard state.idle > 0 else { return false }
            state.idle -= 1
            return true
        }
        if call { bell.signal() }
    }

    package var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes up to `most` into `taken`, which is empty: at least one, which it waits for. False once the queue is closed and empty.
    package func take(upTo most: Int, into taken: inout TakenObjects) -> Bool {
        while true {
            let closed = state.withLock { state in
                move(upTo: most, from: &state, into: &taken)
                if taken.isEmpty, !state.closed { state.idle += 1 }
                return state.closed
            }
            if !taken.isEmpty { return true }
            if closed { return false }
            bell.wait()
        }
    }

    /// Takes what is there, up to `most`, without waiting.
    package func takeWaiting(upTo most: Int, into taken: inout TakenObjects) {
        state.withLock { move(upTo: most, from: &$0, into: &taken) }
    }

    /// Refuses new ones from now on. What waits is still taken.
    package func close() {
        let idle = state.withLock { state in
            state.closed = true
            defer { state.idle = 0 }
            return state.idle
        }
        for _ in 0..<idle { bell.signal() }
    }

    private func move(upTo most: Int, from state: inout State, into taken: inout TakenObjects) {
        taken.clear()
        let end = min(state.objects.count, state.head + most)
        guard end > state.head else { return }
        if state.head == 0, end == state.objects.count {
            // All of them at once: those who want to put theirs in wait for this lock.
            swap(&taken.objects, &state.objects)
        } else {
            for index in state.head..<end {
                taken.objects.append(nil)
                swap(&taken.objects[taken.objects.count - 1], &state.objects[index])
            }
            state.head = end
            if end == state.objects.count {
                state.objects.removeAll(keepingCapacity: true)
                state.head = 0
            } else if end > 1024, end > state.objects.count / 2 {
                state.objects.removeFirst(end)
                state.head = 0
            }
        }
        count.store(state.objects.count - state.head, ordering: .releasing)
    }
}

/// What a thread has taken from an ``ObjectQueue``, in its order. Each leaves when it is removed, and nothing of it stays: who holds an
/// object last frees it, which touches memory that another core wrote.
package struct TakenObjects {
    /// What was removed is `nil`. The queue exchanges it for its own list, so that neither has to grow anew.
    fileprivate var objects: [(any ObjectQueue.Object)?] = []
    private var next = 0

    package init() {}

    package var isEmpty: Bool { next == objects.count }
    package var count: Int { objects.count - next }
    package var first: (any ObjectQueue.Object)? { isEmpty ? nil : objects[next] }

    package mutating func removeFirst() -> (any ObjectQueue.Object)? {
        guard !isEmpty else { return nil }
        var object: (any ObjectQueue.Object)?
        swap(&object, &objects[next])
        next += 1
        return object
    }

    /// Makes room for the next ones, in the memory of those before.
    fileprivate mutating func clear() {
        objects.removeAll(keepingCapacity: true)
        next = 0
    }
}
