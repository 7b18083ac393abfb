import GateCore
import GateHTTP
import NIOCore
import NIOPosix

/// Makes one connection: resolves the name, asks the egress rule, tries the addresses, does the handshake. Used on its event loop only.
final class Dial {
    typealias Outcome = Result<any Channel, OutgoingError>

    private let destination: Destination
    private let settings: ClientSettings
    private let protocols: [ApplicationProtocol]
    private let eventLoop: any EventLoop
    private let lookup = NameLookup()
    private var done: ((Outcome) -> Void)?
    private var race: AddressRace?
    /// Attempts under way, and the one that won.
    private var channels: [any Channel] = []
    private var failures: [ConnectFailure] = []
    private var deadline: Scheduled<Void>?
    private var wake: Scheduled<Void>?

    /// - Parameters:
    ///   - protocols: offered by ALPN. HTTP is named although there is no choice, so that a server of another one refuses
    ///     (RFC 7301 §3.2).
    ///   - done: is told the outcome, once. A channel is connected, verified, has no HTTP handler, and does not read.
    init(
        _ destination: Destination, _ settings: ClientSettings, protocols: [ApplicationProtocol] = [.http1], on eventLoop: any EventLoop,
        _ done: @escaping (Outcome) -> Void
    ) {
        self.protocols = protocols
        self.destination = destination
        self.settings = settings
        self.eventLoop = eventLoop
        self.done = done
    }

    func start() {
        switch destination.place {
        case .unix(let path): attemptUnixSocket(path)
        case .tcp(let host, _):
            if let address = IPAddress(host) {
                begin([address])
            } else {
                resolve(host)
            }
        }
    }

    func abort(_ error: OutgoingError) { finish(.failure(error)) }

    private var connectTime: Duration { destination.rules?.connectTime ?? settings.limits.connectTime }

    private func resolve(_ host: String) {
        limit(connectTime) { [destination, limit = connectTime] in
            .timedOut(destination, "the name servers did not answer within \(limit.text)")
        }
        settings.resolver.addresses(of: host, for: lookup, on: eventLoop).assumeIsolated().whenComplete { [self] result in
            guard done != nil else { return }
            switch result {
            case .success(let addresses): begin(addresses)
            case .failure(let error as NameResolutionError): finish(.failure(.nameNotFound(destination, error)))
            case .failure(let error): finish(.failure(.nameNotFound(destination, NameResolutionError(description: "\(error)"))))
            }
        }
    }

    private func begin(_ addresses: [IPAddress]) {
        let allowed = addresses.filter(destination.egress.allows)
        guard !allowed.isEmpty else {
            let named = addresses.map(\.description).joined(separator: ", ")
            finish(.failure(.forbidden(destination, "\(named) is no public address")))
            return
        }
        limit(connectTime) { [self] in
            .notConnected(
                destination,
                failures + [ConnectFailure(allowed.count == 1 ? allowed[0] : nil, ChannelError.connectTimeout(.zero))])
        }
        var race = AddressRace(allowed, delay: settings.limits.attemptDelay)
        let first = race.start(settings.time.monotonic())
        self.race = race
        perform(first)
    }

    private func perform(_ effects: [AddressRace.Effect]) {
        for effect in effects where done != nil {
            switch effect {
            case .attempt(let address): attempt(address)
            case .wake(let moment):
                wake?.cancel()
                wake = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(moment.since(settings.time.monotonic()))) { [self] in
                    perform(race?.tick(settings.time.monotonic()) ?? [])
                }
            case .lost: finish(.failure(.notConnected(destination, failures)))
            }
        }
    }

    private func attempt(_ address: IPAddress) {
        guard case .tcp(_, let port) = destination.place else { return }
        let connected: EventLoopFuture<any Channel>
        do {
            connected = bootstrap()
                .connect(to: try SocketAddress(ipAddress: address.description, port: port))
        } catch {
            connected = eventLoop.makeFailedFuture(error)
        }
        connected.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): won(channel)
            case .failure(let error):
                failures.append(ConnectFailure(address, error))
                perform(race?.failed(settings.time.monotonic()) ?? [])
            }
        }
    }

    private func attemptUnixSocket(_ path: String) {
        guard destination.egress == .any else {
            finish(.failure(.forbidden(destination, "it is a Unix socket of this machine")))
            return
        }
        bootstrap().connect(unixDomainSocketPath: path).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): won(channel)
            case .failure(let error): finish(.failure(.notConnected(destination, [ConnectFailure(nil, error)])))
            }
        }
    }

    private func bootstrap() -> ClientBootstrap {
        let dial = NIOLoopBound(self, eventLoop: eventLoop)
        return ClientBootstrap(group: eventLoop)
            // Reads happen when the exchange asks for them: that is the back-pressure.
            .channelOption(.autoRead, value: false)
            // Else the channel closes at the end of the input, with what TLS has not opened yet.
            .channelOption(.allowRemoteHalfClosure, value: true)
            // One read at a time: what a slow client does not take yet is left to the kernel, not to our memory.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: ReceiveSize(initial: 4096))
            .connectTimeout(TimeAmount(connectTime))
            .channelInitializer { channel in
                dial.value.channels.append(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
    }

    private func won(_ channel: any Channel) {
        guard done != nil, race != nil || destination.place.isUnix else {
            channel.close(promise: nil)
            return
        }
        race = nil
        wake?.cancel()
        for other in channels where other !== channel { other.close(promise: nil) }
        channels = [channel]
        guard let serverName = destination.serverName else {
            finish(.success(channel))
            return
        }
        guard let tls = destination.rules?.tls ?? settings.tls else {
            finish(.failure(OutgoingError(.tls, "cannot connect to \(destination): this client was made without TLS")))
            return
        }
        secure(channel, serverName, tls)
    }

    private func secure(_ channel: any Channel, _ serverName: String, _ tls: TLSClientConfiguration) {
        deadline?.cancel()
        do {
            let handler = try tls.handler(for: serverName, protocols: protocols)
            try channel.pipeline.syncOperations.addHandler(handler)
            handler.whenHandshaken { [self] result in
                switch result {
                case .success: finish(.success(channel))
                case .failure(let error): finish(.failure(.handshakeFailed(destination, error)))
                }
            }
        } catch {
            finish(.failure(.handshakeFailed(destination, error)))
        }
    }

    private func limit(_ time: Duration, _ error: @escaping () -> OutgoingError) {
        deadline?.cancel()
        deadline = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { [self] in finish(.failure(error())) }
    }

    private func finish(_ outcome: Outcome) {
        guard let done else { return }
        self.done = nil
        deadline?.cancel()
        wake?.cancel()
        lookup.abandon()
        if case .failure = outcome { for channel in channels { channel.close(promise: nil) } }
        channels = []
        done(outcome)
    }
}

extension Destination.Place {
    var isUnix: Bool {
        if case .unix = self { true } else { false }
    }
}
