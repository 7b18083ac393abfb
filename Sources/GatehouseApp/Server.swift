import GateAPI
import GateCore
import GateHTTP
import GateNet
import GateProxy
import GateSQLite
import Glibc
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// The server: from a configuration to a process that serves until it is asked to stop.
package enum Server {
    /// Returns after an orderly end, on `SIGTERM` or `SIGINT`.
    ///
    /// - Parameters:
    ///   - file: where the operator sets what is not set yet.
    ///   - readAgain: reads the sources of `configuration` again.
    ///   - output: where `log` goes.
    /// - Throws: `CommandFailure` where it could not start, or a part of it failed.
    package static func run(
        _ configuration: Configuration, file: String? = nil,
        readAgain: @escaping @Sendable () -> Result<Configuration.Loaded, ConfigurationFaults>, log: Logger, output: LogOutput
    ) async throws {
        // A client that goes away must not end the process: writing to it fails with EPIPE instead.
        signal(SIGPIPE, SIG_IGN)
        raiseDescriptorLimit()
        // From the beginning: a signal that came while the server starts would end it.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let time = SystemTime()
        let entropy = SystemEntropy()
        try DataFolderOwner.refuseRoot(on: configuration.dataDirectory)
        let environment = ProcessEnvironment.current
        let manager = ServiceManager(environment: environment)
        let starts = StartRecord(environment: environment, manager: manager)
        try await starts?.wait(time, manager: manager, log: log)
        do {
            let lock = try DataFolderLock.take(configuration.dataDirectory)
            defer { lock.release() }
            let plan = try ListenerPlan(configuration, InheritedSockets(environment: environment), file: file, log: log)
            let composition = try await Composition(configuration, time: time, entropy: entropy, log: log)
            await composition.backends.redis?.start()
            try await serve(
                composition, plan, manager, hangups, readAgain: readAgain, time: time, entropy: entropy, log: log, output: output)
        } catch {
            let failure = (error as? StorageError).map { CommandFailure($0) } ?? error
            // The service manager does not start it again for this.
            if (failure as? CommandFailure)?.code == .configuration { starts?.forget() }
            throw failure
        }
        starts?.forget()
    }

    private static func serve(
        _ composition: Composition, _ plan: ListenerPlan, _ manager: ServiceManager, _ hangups: UnixSignalsSequence,
        readAgain: @escaping ConfigurationReload.Read, time: any TimeSource, entropy: any Entropy, log: Logger, output: LogOutput
    ) async throws {
        let configuration = composition.configuration
        let group = MultiThreadedEventLoopGroup.singleton
        let observer = ExchangeObservers([
            AccessLog(output), HTTPMetrics(composition.metrics),
        ])
        func server(_ listeners: [Listener], _ responder: any Responder, _ observer: any ExchangeObserver) -> HTTPServer {
            HTTPServer(
                listeners, configuration: HTTPServerConfiguration(configuration), responder: responder, observer: observer, group: group,
                time: time, entropy: entropy)
        }
        var limits = ClientLimits()
        // Each application has a limit of its own. This one is for all together: slow clients of one must not take the others' places.
        limits.connections = configuration.http.maxConnections
        limits.waiting = configuration.http.maxConnections
        let client = HTTPClient(egress: .any, tls: try TLSClientConfiguration(time: time), limits: limits, time: time)
        let front = try Front(configuration, of: composition, client: client, log: log)
        let responders = DoorResponders(front, doctorProof: composition.doctorProof)
        let https = try await composition.certificates.open()
        let upstreams = WatchedUpstreams()
        upstreams.watch(front.upstreams)
        composition.metrics.register(upstreams: { upstreams.current })
        let status = plan.waiting?.status ?? "Serving \(configuration.publicURL)"
        let reload = ConfigurationReload(
            front, composition: composition, client: client, responders: responders, upstreams: upstreams, output: output,
            manager: manager, status: status, log: log, read: readAgain)
        var doors: [(name: String, server: HTTPServer)] = []
        if !configuration.listen.http.isEmpty {
            doors.append(("http", server(plan.http.map { Listener($0) }, responders.plainResponder(https), observer)))
        }
        if let https {
            let decorator = TLSServerDecorator(certificates: https.tls, observer: TLSMetrics(composition.metrics))
            doors.append(("https", server(plan.https.map { Listener($0, decorator: decorator) }, responders.responder, observer)))
        }
        for door in doors { composition.metrics.register(connectionsOf: door.server, scheme: door.name) }
        var services: [any Service] = [
            ClosingService {
                await client.shutDown()
                await composition.close()
            },
            FollowChangesService(identity: composition.identity),
            SharedKeysService(keys: composition.keys, log: log),
            MaintenanceService(
                identity: composition.identity, limits: composition.backends.memoryLimits, leases: composition.backends.leases, log: log),
            MemoryService(),
            HTTPServerService(
                name: "admin",
                server: server(plan.admin.map { Listener($0) }, composition.admin(reload: reload), ExchangeObservers([])),
                shutdownTimeout: .seconds(1), log: log),
        ]
        if !plan.metrics.isEmpty {
            let metrics = composition.metrics
            services.append(
                HTTPServerService(
                    name: "metrics",
                    server: server(plan.metrics.map { Listener($0) }, MetricsEndpoint { metrics.text }, ExchangeObservers([])),
                    shutdownTimeout: .seconds(1), log: log))
        }
        if let waiting = plan.waiting {
            waiting.tell(log)
            let responder = waiting.responder(baseURL: configuration.publicURL.description)
            services.append(
                HTTPServerService(
                    name: "waiting", server: server(waiting.listeners, responder, observer), shutdownTimeout: .seconds(1), log: log))
        }
        let listening = Listening(listeners: doors.count)
        services.append(
            SimultaneousServices(
                services: doors.map { door in
                    HTTPServerService(
                        name: door.name, server: door.server, shutdownTimeout: configuration.http.shutdownTimeout, log: log,
                        started: { _ in
                            guard listening.started() else { return }
                            log.notice("Ready", metadata: ["url": "\(configuration.publicURL)", "version": "\(GatehouseVersion.current)"])
                            manager.isReady(status: status)
                        },
                        stopping: {
                            guard composition.health.stop() else { return }
                            log.notice("Stopping: finishing what runs")
                            manager.isStopping(within: configuration.http.shutdownTimeout + Self.stoppingReserve)
                        })
                }))
        if https != nil { services.append(CertificateService(listening: listening, certificates: composition.certificates)) }
        if let timeout = manager.watchdogTimeout {
            services.insert(WatchdogService(manager: manager, timeout: timeout, group: group), at: 0)
        }
        services.append(HealthCheckService(upstreams: upstreams))
        services.append(ReloadService(signals: hangups, reload: reload, terminal: ControllingTerminal(), log: log))
        let lifecycle = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await lifecycle.run()
        log.notice("Stopped")
    }

    /// For what has to be done after the last request: writing what is not on the disk yet, and closing the database.
    private static let stoppingReserve = Duration.seconds(15)

    /// As many connections as the hard limit admits: the soft limit of 1024 is for programs that use select(2).
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// Several observers as one.
struct ExchangeObservers: ExchangeObserver {
    private let observers: [any ExchangeObserver]

    init(_ observers: [any ExchangeObserver]) { self.observers = observers }

    func finished(_ exchange: Exchange) {
        for observer in observers { observer.finished(exchange) }
    }
}

extension HTTPServerConfiguration {
    fileprivate init(_ configuration: Configuration) {
        self.init()
        let http = configuration.http
        limits.headSize = http.maxHeaderSize.bytes
        limits.fieldSize = min(limits.fieldSize, http.maxHeaderSize.bytes)
        limits.fieldCount = http.maxHeaderCount
        limits.headTime = http.headerTimeout
        limits.keepAliveTime = http.idleTimeout
        limits.bodyIdleTime = http.bodyTimeout
        limits.writeIdleTime = http.writeTimeout
        limits.connections = http.maxConnections
        limits.handshakeTime = configuration.tls.handshakeTimeout
        compresses = http.compression
        trustedProxies = configuration.listen.trustedProxies
        baseURL = configuration.publicURL.description
    }
}
