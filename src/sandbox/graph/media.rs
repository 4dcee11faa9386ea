//! Files: upload, look-up, deletion, and the host they are fetched from, which is this server too.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Refusal;
use crate::message::hex;
use crate::message::media_file::{FIRST_BYTES, FORMATS, describe_as};
use crate::sandbox::state::StoredFile;
use crate::sandbox::{Inner, lock};

/// The largest file and what a form has around it.
pub(crate) const MAX_FORM_BYTES: usize = 101 * 1024 * 1024;

/// The query of a request.
pub(super) type Query = super::Named;

/// `POST /{version}/{number}/media`.
pub(crate) async fn upload(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    // The whole body first: an answer before its end would break the connection under the sender.
    let form = read(form).await;
    let stored = inner
        .admit(&headers)
        .and_then(|()| inner.knows_number(&number))
        .and_then(|()| form?.checked(&number));
    match stored {
        Ok(file) => Json(json!({ "id": inner.store(file) })).into_response(),
        Err(refusal) => refusal.answer(),
    }
}

/// What was uploaded, as it came.
#[derive(Default)]
struct Form {
    product: Option<String>,
    mime_type: Option<String>,
    filename: Option<String>,
    /// Content type and bytes of the file.
    file: Option<(String, Bytes)>,
}

async fn read(form: Result<Multipart, MultipartRejection>) -> Result<Form, Refusal> {
    let broken = || Refusal::new(100, "The body is not a multipart form that can be read.");
    let mut parts = form.map_err(|_| broken())?;
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
        let name = part.name().unwrap_or_default().to_owned();
        let content_type = part.content_type().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|_| broken())?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "messaging_product" => form.product = Some(text()),
            "type" => form.mime_type = Some(text()),
            "file" => {
                form.filename = filename;
                form.file = Some((content_type, bytes));
            }
            _ => {}
        }
    }
    Ok(form)
}

impl Form {
    fn checked(self, number: &str) -> Result<StoredFile, Refusal> {
        let missing = |name: &str| Refusal::new(100, format!("The parameter {name} is required."));
        if self.product.as_deref() != Some("whatsapp") {
            return Err(missing("messaging_product"));
        }
        let mime_type = self.mime_type.ok_or_else(|| missing("type"))?;
        let (content_type, bytes) = self.file.ok_or_else(|| missing("file"))?;
        let filename = self.filename.ok_or_else(|| missing("file"))?;
        if !FORMATS.iter().any(|format| format.mime_type == mime_type) {
            return Err(Refusal::new(
                100,
                "Param file must be a file with one of the types that WhatsApp takes.",
            ));
        }
        if content_type != mime_type {
            let details = format!("The file is sent as {content_type}, and type says {mime_type}.");
            return Err(Refusal::new(131_053, details));
        }
        let beginning = &bytes[..bytes.len().min(FIRST_BYTES)];
        describe_as(&mime_type, &filename, beginning, bytes.len() as u64)
            .map_err(|problem| Refusal::new(131_053, problem.to_string()))?;
        Ok(StoredFile {
            phone_number_id: number.to_owned(),
            mime_type,
            filename: Some(filename),
            bytes,
        })
    }
}

/// `GET /{version}/{id}` of a file; `None` when the id is of no file.
pub(super) fn get(inner: &Inner, id: &str, query: &Query) -> Option<Response> {
    let found = lock(&inner.state).file(id).cloned();
    let file = found?;
    if let Err(refusal) = of_number(&file, query) {
        return Some(refusal.answer());
    }
    let told: Value = json!({
        "messaging_product": "whatsapp",
        "url": format!("http://{}/sandbox/file/{id}", inner.address),
        "mime_type": file.mime_type,
        "sha256": hex(&Sha256::digest(&file.bytes)),
        "file_size": file.bytes.len().to_string(),
        "id": id,
    });
    Some(Json(told).into_response())
}

/// `DELETE /{version}/{id}` of a file; `None` when the id is of no file.
pub(super) fn delete(inner: &Inner, id: &str, query: &Query) -> Option<Response> {
    let found = lock(&inner.state).file(id).cloned();
    let file = found?;
    if let Err(refusal) = of_number(&file, query) {
        return Some(refusal.answer());
    }
    inner.change(|state| state.files.remove(id));
    Some(Json(json!({ "success": true })).into_response())
}

/// A file belongs to one number; whoever names another one is refused.
fn of_number(file: &StoredFile, query: &Query) -> Result<(), Refusal> {
    match query.get("phone_number_id") {
        Some(number) if *number != file.phone_number_id => Err(Refusal::no_object()),
        _ => Ok(()),
    }
}

/// `GET /sandbox/file/{id}`: the file host, which wants the token and answers with the bytes.
pub(crate) async fn bytes(
    Shared(inner): Shared<Arc<Inner>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if inner.admit(&headers).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let found = lock(&inner.state).file(&id).cloned();
    match found {
        Some(file) => ([(header::CONTENT_TYPE, file.mime_type)], file.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Inner {
    /// Keeps a file and gives its id.
    pub(crate) fn store(&self, file: StoredFile) -> String {
        self.change(|state| state.keep(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form {
            product: Some("whatsapp".to_owned()),
            mime_type: Some("text/plain".to_owned()),
            filename: Some("a.txt".to_owned()),
            file: Some(("text/plain".to_owned(), Bytes::from_static(b"hello"))),
        }
    }

    #[test]
    fn every_part_of_the_form_is_wanted_and_the_file_must_be_what_it_is_said_to_be() {
        let of = |mime_type: &str, bytes: &'static [u8]| Form {
            mime_type: Some(mime_type.to_owned()),
            file: Some((mime_type.to_owned(), Bytes::from_static(bytes))),
            ..form()
        };
        let cases = [
            (
                "no product",
                Form {
                    product: None,
                    ..form()
                },
                100,
            ),
            (
                "another product",
                Form {
                    product: Some("messenger".to_owned()),
                    ..form()
                },
                100,
            ),
            (
                "no type",
                Form {
                    mime_type: None,
                    ..form()
                },
                100,
            ),
            (
                "no file",
                Form {
                    file: None,
                    ..form()
                },
                100,
            ),
            (
                "no file name",
                Form {
                    filename: None,
                    ..form()
                },
                100,
            ),
            ("a type that is not taken", of("image/gif", b"GIF89a"), 100),
            (
                "another content type",
                Form {
                    mime_type: Some("image/png".to_owned()),
                    ..form()
                },
                131_053,
            ),
            ("another content", of("image/png", b"hello"), 131_053),
            ("nothing in it", of("text/plain", b""), 131_053),
        ];

        assert!(form().checked("1").is_ok());
        for (what, form, code) in cases {
            let refused = form.checked("1").map_err(|refusal| refusal.code);
            assert_eq!(refused.map(drop), Err(code), "{what}");
        }
    }
}
