package import NIOHTTP1

/// What answers requests.
package protocol Responder: Sendable {
    /// Called on the event loop of the request's connection, so it must not block.
    func respond(to request: Request) -> Answer
}

/// A response now, or later.
///
/// What needs no disk and no other thread is answered in place: no task is made for it. What something on the same event loop brings needs
/// none either. The rest runs as a task whose executor is the connection's event loop.
package enum Answer: Sendable {
    case now(Response)
    case pending(PendingResponse)
    case later(@Sendable () async -> Response)

    /// The same answer with `change` made to it, whenever it comes.
    package consuming func changed(_ change: @escaping @Sendable (inout Response) -> Void) -> Answer {
        switch consume self {
        case .now(var response):
            change(&response)
            return .now(response)
        case .pending(let pending):
            pending.change(change)
            return .pending(pending)
        case .later(let respond):
            return .later {
                var response = await respond()
                change(&response)
                return response
            }
        }
    }

    package var response: Response {
        get async {
            switch self {
            case .now(let response): response
            case .pending(let pending): await pending.value
            case .later(let respond): await respond()
            }
        }
    }
}

/// What a connection tells of each exchange after its last byte is handed to the kernel, or after it broke off.
package struct Exchange: Sendable {
    /// As it was sent, without its body: its target may hold tokens in its query, so it does not go into a log as it is.
    package let request: Request
    package let status: HTTPResponseStatus
    package let responseBytes: Int
    package let duration: Duration
    /// The client was gone before the response was complete.
    package let isAborted: Bool

    package init(request: Request, status: HTTPResponseStatus, responseBytes: Int, duration: Duration, isAborted: Bool) {
        self.request = request
        self.status = status
        self.responseBytes = responseBytes
        self.duration = duration
        self.isAborted = isAborted
    }
}

/// Access log and metrics. Called on the connection's event loop: it must not block.
package protocol ExchangeObserver: Sendable {
    func finished(_ exchange: Exchange)
}
