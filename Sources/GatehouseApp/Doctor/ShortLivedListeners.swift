import GateCore
import GateHTTP
import GateNet
import NIOHTTP1
import NIOPosix

/// Listens where the server would, for as long as the doctor looks: whether it may, and so that somebody answers who can be told.
///
/// Plain HTTP on all ports: there may be no certificate yet.
struct ShortLivedListeners: Sendable {
    private let servers: [HTTPServer]
    let checks: [ListenCheck]
    var isAnswering: Bool { !servers.isEmpty }

    static func open(_ addresses: [(key: String, address: ListenAddress)], proof: DoctorProof, holders: PortHolders) async -> Self {
        var servers: [HTTPServer] = []
        var checks: [ListenCheck] = []
        for (key, address) in addresses {
            let server = HTTPServer(
                address.listenerAddresses.map { Listener($0) }, responder: DoctorEndpoint(proof, next: NothingElse()),
                observer: ExchangeObservers([]), group: MultiThreadedEventLoopGroup.singleton)
            let outcome: ListenCheck.Outcome
            do {
                _ = try await server.start()
                servers.append(server)
                outcome = .free
            } catch let error as ListenError {
                outcome =
                    error.reason == .addressInUse
                    ? .taken(address.port.flatMap { holders.holder(of: $0, at: address.address) })
                    : .failed(error.reason, error.description)
            } catch {
                outcome = .failed(.other, "\(error)")
            }
            checks.append(ListenCheck(key: key, address: address, outcome: outcome))
        }
        return ShortLivedListeners(servers: servers, checks: checks)
    }

    func close() async {
        for server in servers { await server.shutdownGracefully(within: .zero) }
    }

    private struct NothingElse: Responder {
        func respond(to request: Request) -> Answer { .now(.text(.notFound, "gatehouse is not running; its doctor is.\n")) }
    }
}

extension ListenAddress {
    /// `nil`: every address, or none.
    var address: IPAddress? {
        guard case .tcp(let address, _) = self else { return nil }
        return address.high == 0 && address.low == 0 ? nil : address
    }
}
