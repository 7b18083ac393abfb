import GateAPI
import GateCore
import GateNet
import GateProxy
import Logging

/// Reads the configuration again while the server runs, and puts it in force as a whole or not at all.
actor ConfigurationReload {
    /// The sources of the start, read again.
    typealias Read = @Sendable () -> Result<Configuration.Loaded, ConfigurationFaults>

    private var front: Front
    private let composition: Composition
    private let client: HTTPClient
    private let responders: DoorResponders
    private let upstreams: WatchedUpstreams
    private let output: LogOutput
    private let manager: ServiceManager
    private let status: String
    private let log: Logger
    private let read: Read

    /// - Parameter status: what the service manager is told again afterwards: addresses do not change.
    init(
        _ front: Front, composition: Composition, client: HTTPClient, responders: DoorResponders, upstreams: WatchedUpstreams,
        output: LogOutput, manager: ServiceManager, status: String, log: Logger, read: @escaping Read
    ) {
        self.front = front
        self.composition = composition
        self.client = client
        self.responders = responders
        self.upstreams = upstreams
        self.output = output
        self.manager = manager
        self.status = status
        self.log = log
        self.read = read
    }

    /// Of the configuration in force.
    var policyNames: [String] { front.configuration.limits.policyNames }

    /// Requests that have begun go on with the configuration that they began with; none is lost.
    func reload() -> ReloadReport {
        manager.isReloading(at: composition.time.monotonic())
        let report = exchange()
        tell(report)
        manager.isReady(status: status)
        return report
    }

    private func exchange() -> ReloadReport {
        do {
            let loaded = try read().get()
            try loaded.configuration.checkFiles()
            let change = ConfigurationChange(from: front.configuration, to: loaded.configuration)
            let next = try Front(change.next, of: composition, client: client, log: log, previous: front)
            composition.certificates.replace(change.next)
            responders.replace(next)
            upstreams.watch(next.upstreams)
            output.heed(change.next.log)
            front = next
            return ReloadReport(changed: change.changed, needsRestart: change.needsRestart, notices: loaded.notices)
        } catch let error as ConfigurationFaults {
            return ReloadReport(faults: error.faults.map(\.description))
        } catch {
            return ReloadReport(faults: ["\(error)"])
        }
    }

    private func tell(_ report: ReloadReport) {
        for fault in report.faults { log.error("The configuration is faulty, the one before goes on", metadata: ["fault": "\(fault)"]) }
        guard report.faults.isEmpty else { return }
        for notice in report.notices { log.notice("Configuration", metadata: ["note": "\(notice)"]) }
        log.notice("The configuration was read again", metadata: ["changed": "\(report.changed.joined(separator: " "))"])
        if !report.needsRestart.isEmpty {
            log.warning(
                "Some of what has changed needs a restart", metadata: ["settings": "\(report.needsRestart.joined(separator: " "))"])
        }
    }
}
