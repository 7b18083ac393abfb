import GateACME
import GateHTTP

/// What the two doors answer, before and behind a reload.
struct DoorResponders: Sendable {
    private let secure: ReplaceableResponder
    private let redirect: ReplaceableResponder
    private let doctorProof: DoctorProof

    init(_ front: Front, doctorProof: DoctorProof) {
        self.doctorProof = doctorProof
        secure = ReplaceableResponder(front.responder)
        redirect = ReplaceableResponder(Self.plain(front))
    }

    func replace(_ front: Front) {
        secure.replace(front.responder)
        redirect.replace(Self.plain(front))
    }

    /// What HTTPS answers, and plain HTTP where there is no HTTPS.
    var responder: any Responder { DoctorEndpoint(doctorProof, next: secure) }

    /// What plain HTTP answers: challenges first, before redirect, sign-in and limits (CHECKLIST 38).
    func plainResponder(_ https: HTTPSFront?) -> any Responder {
        guard let https else { return responder }
        return HTTP01Responder(https.http01, shared: https.shared, before: DoctorEndpoint(doctorProof, next: redirect))
    }

    private static func plain(_ front: Front) -> any Responder { front.configuration.tls.redirect ? front.redirect : front.responder }
}
