package import GateAccess
package import GateCore
package import GateHTTP
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Answers with the files of a folder: GET and HEAD, conditional requests and ranges (RFC 9110 §13, §14).
///
/// What lies in the kernel's memory is found and opened on the event loop; where the disk has to be waited for, a thread does it.
package final class FolderHandler: RouteHandler {
    private let rules: FolderRules
    private let search: FolderSearch
    private let prefix: PathPrefix?
    private let responses: FileResponses
    private let baseURL: String
    private let logger: Logger
    private let isRootMissed = Atomic<Bool>(false)

    /// - Parameters:
    ///   - baseURL: the public URL without a slash at its end, for problem documents.
    ///   - entropy: for the boundaries between several ranges.
    package init(
        _ rules: FolderRules, baseURL: String, logger: Logger, time: any TimeSource = SystemTime(), entropy: any Entropy = SystemEntropy()
    ) {
        self.rules = rules
        self.baseURL = baseURL
        self.logger = logger
        search = FolderSearch(rules)
        prefix = rules.strippedPrefix.map(PathPrefix.init)
        responses = FileResponses(rules, time: time, entropy: entropy)
    }

    package func answer(_ admitted: AdmittedRequest) -> Answer {
        let request = admitted.arrived
        guard request.method == .GET || request.method == .HEAD else {
            return .now(refusal(Problem(.methodNotAllowed, headers: ["allow": "GET, HEAD"]), request))
        }
        guard let path = path(of: request) else { return .now(refusal(Problem(.notFound), request)) }
        let isPersonal = admitted.principal != nil
        let codings = rules.precompressed ? FoundFile.Coding.accepted(by: request.headers) : []
        if let found = try? search.find(path, codings: codings, .cached) { return .now(response(to: request, found, isPersonal)) }
        return .later { [self] in
            do {
                let found = try await NIOThreadPool.singleton.runIfActive { [search] in
                    try search.find(path, codings: codings, .patient)
                }
                if isRootMissed.exchange(false, ordering: .relaxed) { logger.notice("The folder is there again") }
                return response(to: request, found, isPersonal)
            } catch {
                complain(of: error)
                return refusal(Problem(.unavailable, headers: ["retry-after": "5"]), request)
            }
        }
    }

    private func path(of request: Request) -> FolderPath? {
        guard let prefix, prefix.text != "/" else { return FolderPath(request.target.path) }
        guard prefix.covers(request.target.path) else { return nil }
        let rest = request.target.path.dropFirst(prefix.text.count)
        return rest.isEmpty ? .bare : FolderPath(rest)
    }

    private func response(to request: Request, _ finding: FolderSearch.Finding, _ isPersonal: Bool) -> Response {
        switch finding {
        case .nothing: return refusal(Problem(.notFound), request)
        case .folder:
            let query = request.target.query.map { "?" + $0 } ?? ""
            return Response(.permanentRedirect, headers: ["location": request.target.path + "/" + query])
        case .file(let found):
            do throws(Problem) { return try responses.response(to: request, with: found, isPersonal: isPersonal) } catch {
                return refusal(error, request)
            }
        }
    }

    private func refusal(_ problem: Problem, _ request: Request) -> Response {
        problem.answer(to: request, baseURL: baseURL)
    }

    /// Of a folder that is not there once, and not for each request.
    private func complain(of error: any Error) {
        if let error = error as? FolderSearch.RootFailure {
            guard !isRootMissed.exchange(true, ordering: .relaxed) else { return }
            logger.error("The folder cannot be opened", metadata: ["folder": "\(rules.root)", "reason": "\(error.failure)"])
        } else {
            logger.error("A file cannot be opened", metadata: ["folder": "\(rules.root)", "reason": "\(error)"])
        }
    }
}

extension FoundFile.Coding {
    /// Those that the client likes at least as well as the content itself, the best liked first.
    static func accepted(by headers: HTTPHeaders) -> [FoundFile.Coding] {
        guard headers.contains(name: "accept-encoding") else { return [] }
        let accepted = AcceptedCodings(headers)
        let weighted = allCases.map { (coding: $0, weight: accepted.weight(of: $0.rawValue)) }
            .filter { $0.weight > 0 && $0.weight >= accepted.identityWeight }
        // Brotli is the smaller one. Sorting keeps no order of its own.
        guard weighted.count == 2, weighted[1].weight > weighted[0].weight else { return weighted.map(\.coding) }
        return weighted.reversed().map(\.coding)
    }
}
