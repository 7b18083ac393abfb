import GateACME
import GateAPI
import GateCore

extension CertificateReport {
    init(_ status: CertificateStatus, source: Source) {
        self.init(
            names: status.names, source: source, status: Status(status.current?.health), issuer: status.current?.issuer,
            authority: status.current?.directory, notBefore: status.current?.notBefore, notAfter: status.current?.notAfter,
            fingerprint: status.current?.fingerprint, nextAction: status.nextAction.word,
            nextActionAt: status.nextActionAt, reason: status.reason, isBusy: status.nextAction == .ordering,
            lastProblem: status.problem.map { problem in
                LastProblem(at: problem.at, message: problem.sentence, document: problem.document?.json)
            })
    }
}

extension CertificateStatus.Action {
    fileprivate var word: String {
        switch self {
        case .order: "order"
        case .renew: "renew"
        case .tryAgain: "try again"
        case .ordering: "ordering"
        case .watchFiles: "watch files"
        }
    }
}

extension CertificateReport.Status {
    fileprivate init(_ health: CertificateHealth?) {
        self =
            switch health {
            case .sound: .valid
            case .overdue, .urgent: .expiring
            case .expired: .expired
            case nil: .missing
            }
    }
}
