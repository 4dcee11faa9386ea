//! Files: upload, look-up, deletion, and the host they are fetched from, which is this server too.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::request::{admit, admit_call, knows_number};
use super::response::{Answer, QueryParameters, Refusal, success};
use crate::message::hex;
use crate::message::media_file::{FIRST_BYTES, FORMATS, describe_as};
use crate::sandbox::context::Context;
use crate::sandbox::state::StoredFile;

/// Maximum size of an upload form: the largest file, and 1 MiB for the rest.
pub(crate) const MAX_FORM_BYTES: usize = 101 * 1024 * 1024;

/// `POST /{version}/{number}/media`.
pub(crate) async fn upload(
    Shared(context): Shared<Arc<Context>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    form: Result<Multipart, MultipartRejection>,
) -> Answer {
    // Read before any check: an early response would break the connection during the upload.
    let form = read(form).await;
    admit_call(&context, &headers, &uri)?;
    knows_number(&context, &number)?;
    let file = form?.checked(&number)?;
    Ok(Json(json!({ "id": context.store(file) })))
}

/// Fields of an upload.
#[derive(Default)]
struct Form {
    product: Option<String>,
    mime_type: Option<String>,
    filename: Option<String>,
    /// Content type and bytes.
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
        if self.product.as_deref() != Some("whatsapp") {
            return Err(Refusal::missing("messaging_product"));
        }
        let mime_type = self.mime_type.ok_or_else(|| Refusal::missing("type"))?;
        let (content_type, bytes) = self.file.ok_or_else(|| Refusal::missing("file"))?;
        let filename = self.filename.ok_or_else(|| Refusal::missing("file"))?;
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

/// `GET /{version}/{id}` of a file; `None` when the id is not a file's.
pub(super) fn get(context: &Context, id: &str, query: &QueryParameters) -> Option<Answer> {
    let file = match file_of_number(context, id, query)? {
        Ok(file) => file,
        Err(refusal) => return Some(Err(refusal)),
    };
    Some(Ok(Json(json!({
        "messaging_product": "whatsapp",
        "url": format!("http://{}/sandbox/file/{id}", context.address),
        "mime_type": file.mime_type,
        "sha256": hex(&Sha256::digest(&file.bytes)),
        "file_size": file.bytes.len().to_string(),
        "id": id,
    }))))
}

/// `DELETE /{version}/{id}` of a file; `None` when the id is not a file's.
pub(super) fn delete(context: &Context, id: &str, query: &QueryParameters) -> Option<Answer> {
    let file = file_of_number(context, id, query)?;
    Some(file.map(|_| {
        context.change(|state| state.files.remove(id));
        success()
    }))
}

/// Looks a file up; refuses it when the query names another number than the file's.
fn file_of_number(
    context: &Context,
    id: &str,
    query: &QueryParameters,
) -> Option<Result<StoredFile, Refusal>> {
    let file = context.state().file(id).cloned()?;
    Some(match query.get("phone_number_id") {
        Some(number) if *number != file.phone_number_id => Err(Refusal::no_object()),
        _ => Ok(file),
    })
}

/// `GET /sandbox/file/{id}`: the file host, which requires the token and answers with the bytes.
pub(crate) async fn bytes(
    Shared(context): Shared<Arc<Context>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if admit(&context, &headers).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let file = context.state().file(&id).cloned();
    match file {
        Some(file) => ([(header::CONTENT_TYPE, file.mime_type)], file.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
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
        let with = |clear: fn(&mut Form)| {
            let mut form = form();
            clear(&mut form);
            form
        };
        let cases = [
            ("no product", with(|form| form.product = None), 100),
            (
                "another product",
                with(|form| form.product = Some("messenger".to_owned())),
                100,
            ),
            ("no type", with(|form| form.mime_type = None), 100),
            ("no file", with(|form| form.file = None), 100),
            ("no file name", with(|form| form.filename = None), 100),
            ("a type that is not taken", of("image/gif", b"GIF89a"), 100),
            (
                "another content type",
                with(|form| form.mime_type = Some("image/png".to_owned())),
                131_053,
            ),
            ("another content", of("image/png", b"hello"), 131_053),
            ("nothing in it", of("text/plain", b""), 131_053),
        ];

        assert!(form().checked("1").is_ok());
        for (case, form, code) in cases {
            let refused = form.checked("1").map_err(|refusal| refusal.code);
            assert_eq!(refused.map(drop), Err(code), "{case}");
        }
    }
}
