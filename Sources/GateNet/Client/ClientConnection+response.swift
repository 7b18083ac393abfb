import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

extension ClientConnection {
    /// Something has come, or nothing more will.
    func wake() {
        if call?.isWaitedFor == true {
            readHead()
        } else if let waiter = partWaiter {
            partWaiter = nil
            guard let ready = readyPart(of: state.count) else {
                partWaiter = waiter
                return
            }
            if !state.isTunnel { call?.suspend() }
            waiter.resume(returning: ready)
        }
    }

    private func readHead() {
        while true {
            switch state.next() {
            case .proceed: sendBody()
            case .head(let head):
                deliver(head)
                return
            case .needsMore:
                if let inputFailure { fail(inputFailure) }
                return
            case .failed(let fault):
                fail(.badResponse(destination, fault, hasBegun: state.hasResponseBegun))
                return
            case .part, .end:
                fail(.badResponse(destination, .truncated, hasBegun: true))
                return
            }
        }
    }

    /// Gives the response to who waits for it; whole, where all of it has come.
    private func deliver(_ head: ResponseHead) {
        guard let call else { return }
        if let (body, staysOpen) = state.takeWholeBody() {
            finish(staysOpen: staysOpen)
            call.resolve(.success(StreamedResponse(head, .whole(body))))
            return
        }
        call.stage = .body(self)
        switch head.framing {
        case .none, .length, .untilClose: stream(head, to: call)
        case .chunked:
            guard let end = readAhead() else {
                if failure == nil { stream(head, to: call) }
                return
            }
            let whole = ahead ?? ByteBuffer()
            ahead = nil
            finish(staysOpen: end.staysOpen)
            call.resolve(
                .success(
                    StreamedResponse(
                        head, end.trailers == nil ? .whole(whole) : .stream(length: nil, ResponseBodyStream(whole, end.trailers)))))
        case .tunnel:
            call.awaitPart(since: loop.recent)
            call.resolve(.success(StreamedResponse(head, .tunnel(ClientTunnel(self, exchange: state.count)))))
        }
    }

    private func stream(_ head: ResponseHead, to call: OutgoingCall) {
        call.suspend()
        call.resolve(
            .success(StreamedResponse(head, .stream(length: head.contentLength, ResponseBodyStream(self, exchange: state.count)))))
    }

    /// Gathers the chunks that came with the head. Returns with the end where that has come too.
    private func readAhead() -> (staysOpen: Bool, trailers: HTTPHeaders?)? {
        while true {
            switch state.next() {
            case .part(let part): if ahead == nil { ahead = part } else { ahead!.writeImmutableBuffer(part) }
            case .end(let staysOpen): return (staysOpen, state.trailers)
            case .failed(let fault):
                // None of it has been passed on yet: better no answer than a broken one.
                fail(.badResponse(destination, fault, hasBegun: true))
                return nil
            case .needsMore, .head, .proceed: return nil
            }
        }
    }

    // MARK: The body

    /// The next part for the reader of that exchange, where it is there already.
    func readyPart(of number: Int) -> PartResult? {
        guard state.count == number else { return .success(.end(nil)) }
        if let part = ahead {
            ahead = nil
            return .success(.part(part))
        }
        if let failure { return .failure(failure) }
        guard let call else { return .success(.end(nil)) }
        switch state.next() {
        case .part(let part):
            if state.isTunnel { call.awaitPart(since: loop.recent) }
            return .success(.part(part))
        case .end(let staysOpen):
            let trailers = state.trailers
            // The other direction of a tunnel may go on.
            isTunnelInputTaken = state.isTunnel
            if !state.isTunnel || isOutputFinished { finish(staysOpen: staysOpen) }
            return .success(.end(trailers))
        case .needsMore:
            guard let inputFailure else { return nil }
            fail(inputFailure)
        case .failed(let fault): fail(.badResponse(destination, fault, hasBegun: true))
        case .head, .proceed: return nil
        }
        return failure.map { .failure($0) }
    }

    func awaitPart(of number: Int, _ continuation: UnsafeContinuation<PartResult, Never>) {
        if let ready = readyPart(of: number) {
            continuation.resume(returning: ready)
            return
        }
        guard partWaiter == nil else {
            continuation.resume(returning: .failure(.cancelled(destination)))
            return
        }
        partWaiter = continuation
        call?.awaitPart(since: loop.recent)
        readOn()
    }

    /// Breaks that exchange off where it has not ended.
    func abandon(_ number: Int, _ error: @autoclosure () -> OutgoingError) {
        guard state.count == number, call != nil else { return }
        fail(error())
    }
}
