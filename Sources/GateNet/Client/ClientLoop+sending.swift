import GateCore
import GateHTTP
import NIOCore

extension ClientLoop {
    /// Sends a request and collects its response.
    func send(_ request: OutgoingRequest, to destination: Destination) async throws(OutgoingError) -> OutgoingResponse {
        let call = OutgoingCall(destination, limit: request.timeLimit, at: settings.time.monotonic())
        let wire = ClientRequest(
            method: request.method, target: request.url.target.raw, authority: request.url.authority, headers: request.headers,
            body: request.body.readableBytes > 0 ? .bytes(request.body) : .empty)
        let limit = request.responseLimit
        return try await cancellable(call) { () async throws(OutgoingError) -> OutgoingResponse in
            let (connection, head) = try await self.open(wire, for: call)
            return OutgoingResponse(head.status, headers: head.headers, body: try await Self.collect(from: connection, head, upTo: limit))
        }.get()
    }

    private static func collect(from connection: ClientConnection, _ head: ResponseHead, upTo limit: Int) async throws(OutgoingError)
        -> ByteBuffer
    {
        var body = ByteBuffer()
        if case .length(let length) = head.framing, length > limit { throw refuse(connection, limit) }
        while let part = try await connection.nextPart() {
            guard body.readableBytes + part.readableBytes <= limit else { throw refuse(connection, limit) }
            if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
        }
        return body
    }

    private static func refuse(_ connection: ClientConnection, _ limit: Int) -> OutgoingError {
        let error = OutgoingError.tooLarge(connection.destination, limit: limit)
        connection.fail(error)
        return error
    }

    /// Sends a request and returns with the head of its response.
    func stream(_ request: StreamedRequest, to endpoint: Endpoint) async throws(OutgoingError) -> StreamedResponse {
        let call = OutgoingCall(
            endpoint.destination, limit: request.responseTime, idleLimit: request.idleTime, at: settings.time.monotonic())
        let wire = ClientRequest(
            method: request.method, target: request.target, authority: request.authority ?? endpoint.url.authority,
            headers: request.headers, body: request.body)
        return try await cancellable(call) { () async throws(OutgoingError) -> StreamedResponse in
            let (connection, head) = try await self.open(wire, for: call)
            // What has no body is over: nobody has to read it for the connection to be free.
            let isWhole = head.framing == .none || head.framing == .length(0)
            if isWhole { _ = try await connection.nextPart() }
            let length: Int? =
                switch head.framing {
                case .none: 0
                case .length(let length): length
                case .chunked, .untilClose: nil
                }
            var lines = ByteBuffer()
            for (name, value) in head.headers { lines.writeString("\(name): \(value)\r\n") }
            return StreamedResponse(
                status: head.status, fields: FieldSection(reading: lines), connectionOptions: nil, length: length,
                body: isWhole
                    ? .whole(ByteBuffer()) : .stream(length: length, ClientBodyStream(connection, exchange: connection.state.count)))
        }.get()
    }

    /// Gives `call` up where the task is cancelled.
    private func cancellable<Value>(
        _ call: OutgoingCall, _ operation: () async throws(OutgoingError) -> Value
    ) async -> Result<Value, OutgoingError> {
        let bound = NIOLoopBound(call, eventLoop: eventLoop)
        return await withTaskCancellationHandler {
            do throws(OutgoingError) { return .success(try await operation()) } catch { return .failure(error) }
        } onCancel: { [eventLoop] in
            eventLoop.execute { bound.value.end(.cancelled(bound.value.destination)) }
        }
    }
}
