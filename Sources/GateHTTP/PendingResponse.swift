package import NIOCore

/// A response that comes later without a task, which would cost a tenth of a proxied request: something on the event loop of the
/// request's connection resolves it.
///
/// Whoever makes one resolves it exactly once, also where it has been cancelled. Unchecked: everything but the making is done on
/// `eventLoop` only, as its methods assert.
package final class PendingResponse: @unchecked Sendable {
    private let eventLoop: any EventLoop
    private var change: ((inout Response) -> Void)?
    private var response: Response?
    private var receiver: ((consuming Response) -> Void)?
    private var canceller: (() -> Void)?
    /// It is resolved, or a task of its own is on the way to it.
    private var isBeingResolved = false

    /// - Parameter eventLoop: that of the request's connection.
    package init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    package func resolve(_ response: consuming Response) {
        eventLoop.assertInEventLoop()
        canceller = nil
        isBeingResolved = true
        change?(&response)
        if let receiver {
            self.receiver = nil
            receiver(response)
        } else {
            self.response = response
        }
    }

    /// Resolves it with what a task brings, which is cancelled where this is.
    package func resolve(by respond: @escaping @Sendable () async -> Response) {
        eventLoop.assertInEventLoop()
        let task = Task { [self, eventLoop] in
            let response = await respond()
            eventLoop.execute { self.resolve(response) }
        }
        canceller = { task.cancel() }
        isBeingResolved = true
    }

    /// - Parameter receive: is called once with the response, perhaps at once. There is one receiver.
    package func whenResolved(_ receive: @escaping (consuming Response) -> Void) {
        eventLoop.assertInEventLoop()
        if let response { receive(response) } else { receiver = receive }
    }

    /// Of no effect once ``resolve(_:)`` or ``resolve(by:)`` was called: what `cancel` would break off is over.
    ///
    /// - Parameter cancel: breaks off what would resolve it, so that it is resolved soon.
    package func whenCancelled(_ cancel: @escaping () -> Void) {
        eventLoop.assertInEventLoop()
        if !isBeingResolved { canceller = cancel }
    }

    /// Nobody waits for the response any more.
    package func cancel() {
        eventLoop.assertInEventLoop()
        let canceller = canceller
        self.canceller = nil
        canceller?()
    }

    /// To be called before it is handed on, in place: the change is made to the response when it comes.
    func change(_ change: @escaping (inout Response) -> Void) {
        eventLoop.assertInEventLoop()
        if response != nil {
            change(&response!)
        } else if let earlier = self.change {
            self.change = { response in
                earlier(&response)
                change(&response)
            }
        } else {
            self.change = change
        }
    }

    var value: Response {
        get async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    if eventLoop.inEventLoop {
                        whenResolved { continuation.resume(returning: $0) }
                    } else {
                        eventLoop.execute { [self] in whenResolved { continuation.resume(returning: $0) } }
                    }
                }
            } onCancel: {
                eventLoop.execute { [self] in cancel() }
            }
        }
    }
}
