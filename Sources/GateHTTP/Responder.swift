package import GateCore
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
    package var id: RequestID
    package var method: HTTPMethod
    /// As it was sent: it may hold tokens in its query, so it does not go into a log as it is.
    package var target: RequestTarget
    package var client: IPAddress?
    package var status: HTTPResponseStatus
    package var responseBytes: Int
    package var duration: Duration
    package var userAgent: String?
    /// The client was gone before the response was complete.
    package var isAborted: Bool

    package init(
        id: RequestID, method: HTTPMethod, target: RequestTarget, client: IPAddress?, status: HTTPResponseStatus, responseBytes: Int,
        duration: Duration, userAgent: String?, isAborted: Bool
    ) {
        self.id = id
        self.method = method
        self.target = target
        self.client = client
        self.status = status
        self.responseBytes = responseBytes
        self.duration = duration
        self.userAgent = userAgent
        self.isAborted = isAborted
    }
}

/// Access log and metrics. Called on the connection's event loop: it must not block.
package protocol ExchangeObserver: Sendable {
    func finished(_ exchange: Exchange)
}
