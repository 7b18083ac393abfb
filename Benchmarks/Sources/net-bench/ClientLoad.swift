import GateCore
import GateHTTP
import GateNet
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a server as often as the outgoing client can, on one event loop.
struct ClientLoad {
    let port: Int
    /// How long, in seconds.
    let seconds: Int
    let inFlight: Int
    /// Whether the tasks run on the client's event loop already, as a proxy's do, or on the threads of the global pool.
    let isOnLoop: Bool
    /// Whether the response is taken part by part.
    let isStreamed: Bool

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = HTTPClient(egress: .any, group: group)
        let executor = LoopExecutor(group.next())
        let url = HTTPURL("http://127.0.0.1:\(port)/health")!
        let endpoint = client.endpoint(EndpointSettings(url))
        let time = SystemTime()
        let end = time.monotonic() + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { tasks in
            for _ in 0..<inFlight {
                tasks.addTask(executorPreference: isOnLoop ? executor : nil) {
                    var count = 0
                    while time.monotonic() < end {
                        if isStreamed {
                            let response = try await endpoint.stream(StreamedRequest(.GET, "/health"))
                            if case .stream(_, let body) = response.body { while try await body.next() != nil {} }
                        } else {
                            _ = try await client.send(OutgoingRequest(.GET, url))
                        }
                        count += 1
                    }
                    return count
                }
            }
            return try await tasks.reduce(0, +)
        }
        print("\(count / seconds) requests/s with \(inFlight) in flight")
        await client.shutDown()
        try await group.shutdownGracefully()
    }
}

/// Runs tasks on an event loop, as the server runs its handlers.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
